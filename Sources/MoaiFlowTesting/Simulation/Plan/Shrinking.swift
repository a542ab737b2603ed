/// Delta debugging (Zeller, Hildebrandt 2002): leaves out what a failure does not need.
package enum Shrinking {
  /// The smallest list that was found, in the order of `items`, for which `fails` still holds. Leaving out any single
  /// item of it makes the failure go away, unless `attempts` calls of `fails` were not enough.
  package static func shrink<Item>(
    _ items: [Item], attempts: Int = 600, while fails: ([Item]) -> Bool
  ) -> [Item] {
    var kept = items
    var left = attempts
    var size = max(1, kept.count / 2)
    while !kept.isEmpty {
      var start = 0
      var hasShrunk = false
      while start < kept.count, left > 0 {
        var candidate = kept
        candidate.removeSubrange(start..<min(start + size, kept.count))
        left -= 1
        if fails(candidate) {
          kept = candidate
          hasShrunk = true
        } else {
          start += size
        }
      }
      if left == 0 || size == 1 && !hasShrunk { break }
      size = hasShrunk ? min(size, max(1, kept.count / 2)) : max(1, size / 2)
    }
    return kept
  }
}
