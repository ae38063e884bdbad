//! Our own palettes, all of which close: they may be run through again and again.

/// Name and stops, each.
pub(super) const CLASSICS: [(&str, &str); 10] = [
    // Blue, white, gold and black: how most people know the set.
    (
        "classic",
        "cyclic smooth oklab: #000764 0%, #206bcb 16%, #edffff 42%, #ffaa00 64.25%, #000200 85.75%",
    ),
    (
        "gold",
        "cyclic smooth oklab: #0d0603 0%, #5b2a08 18%, #c98a1b 38%, #fff3c4 52%, #e0a63a 64%, #6b3a12 82%",
    ),
    (
        "ice",
        "cyclic smooth oklab: #020818 0%, #0b3a73 20%, #4aa6d8 40%, #f4fdff 54%, #8fb7d9 68%, #27406e 86%",
    ),
    (
        "ember",
        "cyclic smooth oklab: #05010a 0%, #5a0a1c 20%, #d93a10 38%, #ffb52e 52%, #fff6d8 60%, #b0432a 76%, #2a0a22 90%",
    ),
    (
        "aurora",
        "cyclic smooth oklab: #041022 0%, #0b5d5e 18%, #3fd08a 36%, #eafff0 50%, #8a7fe0 66%, #3b1a70 84%",
    ),
    (
        "dusk",
        "cyclic smooth oklab: #0a0a2a 0%, #432a86 18%, #c8468c 36%, #ff9a62 50%, #ffefc9 62%, #6f8fb8 78%, #1f3768 90%",
    ),
    (
        "opal",
        "cyclic smooth oklab: #10243a 0%, #2f7f93 18%, #bfe8d2 34%, #fff7ea 46%, #f2b6a8 60%, #9a5f93 76%, #3a3068 90%",
    ),
    (
        "forest",
        "cyclic smooth oklab: #07110a 0%, #1c4a2a 20%, #7fa650 38%, #f3f0cf 54%, #c08a4a 70%, #40301c 86%",
    ),
    (
        "twilight",
        "cyclic smooth oklab: #e2d9e2 0%, #95b5c8 14%, #5f7bbf 28%, #5a3a9a 40%, #2f1436 50%, #6b1c4c 60%, #b04a50 72%, #cf9f80 86%",
    ),
    ("grey", "cyclic smooth oklab: #000000 0%, #ffffff 50%"),
];
