import MoaiCRDT
