"""Every syntax error's exact wording: a spec, and for each finding its code, message, underlined text and help."""

Finding = tuple[str, str, str, str]

CASES: list[tuple[str, list[Finding]]] = [
    # ---- E001
    (
        "C3D64 € R",
        [
            ("E001", "`€` means nothing in a spec", "€", "take it away"),
        ],
    ),
    (
        "C3D64 × 2",
        [
            ("E001", "`×` means nothing in a spec", "×", "a repeat is written `*2`, glued to what it repeats"),
        ],
    ),
    (
        "C3D64; R",
        [
            (
                "E001",
                "`;` means nothing in a spec",
                ";",
                "remove it; spaces separate items, and line breaks separate statements",
            ),
        ],
    ),
    (
        "C3\x07R",
        [
            ("E001", "there is a control character (U+0007) here", "\x07", "take it away"),
        ],
    ),
    (
        "C3\xa0R",
        [
            ("E001", "there is an unusual space (U+00A0) here", "\xa0", "write a plain space"),
        ],
    ),
    (
        "POOL? R",
        [
            (
                "E001",
                "`?` means nothing in a spec",
                "?",
                "nothing in a spec is optional: keep the item, or remove it",
            ),
        ],
    ),
    (
        "“C3”",
        [
            (
                "E001",
                "`“` means nothing in a spec",
                "“",
                "remove it; spaces separate items, and line breaks separate statements",
            ),
            (
                "E001",
                "`”` means nothing in a spec",
                "”",
                "remove it; spaces separate items, and line breaks separate statements",
            ),
        ],
    ),
    (
        "C3 → R",
        [
            ("E001", "`→` means nothing in a spec", "→", "write `->`"),
        ],
    ),
    (
        "C3×3",
        [
            ("E001", "`×` means nothing in a spec", "×", "write the letter `x`"),
        ],
    ),
    (
        "R ×2",
        [
            ("E001", "`×` means nothing in a spec", "×", "a repeat is written `*2`, glued to what it repeats"),
        ],
    ),
    (
        "C3D64 slice(0,{c//2}) up(2*{c+1}) drop(p={0.5}) pad(1,{ -c })",
        [
            (
                "E016",
                "braces stand around an expression in a layer's name alone, as in `C3D{2*c}`",
                "{c//2}",
                "write `c//2`",
            ),
            (
                "E016",
                "braces stand around an expression in a layer's name alone, as in `C3D{2*c}`",
                "{c+1}",
                "write `(c+1)`",
            ),
            (
                "E016",
                "braces stand around an expression in a layer's name alone, as in `C3D{2*c}`",
                "{0.5}",
                "write `0.5`",
            ),
            (
                "E016",
                "braces stand around an expression in a layer's name alone, as in `C3D{2*c}`",
                "{ -c }",
                "write `-c`",
            ),
        ],
    ),
    (
        "[C3D{2^i} R]*{2^i} C3D{2^i}/2p{2^i}",
        [
            ("E016", "a power is written `**`", "^", "write `**`"),
            ("E016", "a power is written `**`", "^", "write `**`"),
            ("E016", "a power is written `**`", "^", "write `**`"),
            ("E016", "a power is written `**`", "^", "write `**`"),
        ],
    ),
    # ---- E002
    (
        "X3",
        [
            ("E002", "there is no layer `X3`", "X3", "the layers are C DW T M P A GAP GMP FC BN LN IN GN LRN GRN R S"),
        ],
    ),
    (
        "CONV3 R",
        [
            ("E002", "there is no layer `CONV3`", "CONV3", "write `C3`"),
        ],
    ),
    (
        "CONV3D64 R",
        [
            ("E002", "there is no layer `CONV3D64`", "CONV3D64", "write `C3D64`"),
        ],
    ),
    (
        "CONV(64)",
        [
            (
                "E002",
                "there is no layer `CONV`",
                "CONV",
                "a convolution is written `CkDn`: its kernel k, then its depth n; here `kernel_size` is missing",
            ),
        ],
    ),
    (
        "POOL2",
        [
            ("E002", "there is no layer `POOL2`", "POOL2", "write `M2`"),
        ],
    ),
    (
        "MAXPOOL",
        [
            ("E002", "there is no layer `MAXPOOL`", "MAXPOOL", "write `M`"),
        ],
    ),
    (
        "RELU6",
        [
            ("E002", "there is no layer `RELU6`", "RELU6", "write `relu6`"),
        ],
    ),
    (
        "ReLU",
        [
            ("E002", "there is no layer `ReLU`", "ReLU", "write `R`"),
        ],
    ),
    (
        "Conv2d",
        [
            (
                "E002",
                "there is no layer `Conv2d`",
                "Conv2d",
                "a convolution is written `CkDn`: its kernel k, then its depth n",
            ),
        ],
    ),
    (
        "SOFTMAX",
        [
            ("E002", "there is no layer `SOFTMAX`", "SOFTMAX", "write `S`"),
        ],
    ),
    (
        "C3D1O R",
        [
            ("E002", "`C3D1O` has the letter O in place of a digit", "C3D1O", "write the digit 0: `C3D10`"),
        ],
    ),
    (
        "FC1OOO",
        [
            ("E002", "`FC1OOO` has the letter O in place of a digit", "FC1OOO", "write the digit 0: `FC1000`"),
        ],
    ),
    (
        "GA",
        [
            ("E002", "there is no layer `GA`", "GA", "did you mean `GAP` or `GN`?"),
        ],
    ),
    (
        "LR5",
        [
            ("E002", "there is no layer `LR5`", "LR5", "did you mean `LRN5`?"),
        ],
    ),
    (
        "BatchNorm",
        [
            ("E002", "there is no layer `BatchNorm`", "BatchNorm", "write `BN`"),
        ],
    ),
    (
        "DROPOUT",
        [
            ("E002", "there is no layer `DROPOUT`", "DROPOUT", "dropout is written `drop(p)`, with its probability p"),
        ],
    ),
    (
        "GMA",
        [
            ("E002", "there is no layer `GMA`", "GMA", "did you mean `GMP`?"),
        ],
    ),
    (
        "FN",
        [
            ("E002", "there is no layer `FN`", "FN", "the layers are C DW T M P A GAP GMP FC BN LN IN GN LRN GRN R S"),
        ],
    ),
    (
        "B3",
        [
            ("E002", "there is no layer `B3`", "B3", "the layers are C DW T M P A GAP GMP FC BN LN IN GN LRN GRN R S"),
        ],
    ),
    (
        "C3D64same R C3d64 [R | ] X3",
        [
            ("E003", "`same` is glued to the layer `C3D64`", "same", "a padding begins with `p`: `C3D64psame`"),
            (
                "E006",
                "`C3d64` asks for a dilation of 64 and gives no depth",
                "d64",
                "write `C3D64` for a depth of 64, or `C3D{c}d64` if the dilation is meant",
            ),
            (
                "E009",
                "the branch before this `]` is empty",
                "]",
                "write `x` where the value should pass unchanged, as in `[C3D64 | x]`",
            ),
            ("E002", "there is no layer `X3`", "X3", "the layers are C DW T M P A GAP GMP FC BN LN IN GN LRN GRN R S"),
        ],
    ),
    # ---- E003
    (
        "C3D64same",
        [
            ("E003", "`same` is glued to the layer `C3D64`", "same", "a padding begins with `p`: `C3D64psame`"),
        ],
    ),
    (
        "C3D64relu",
        [
            ("E003", "`relu` is glued to the layer `C3D64`", "relu", "put a space between them: `C3D64 relu`"),
        ],
    ),
    (
        "C3D64foo",
        [
            (
                "E004",
                "there is no suffix `foo` for `C3D64`",
                "foo",
                "a convolution may carry `D64`, `/2`, `p1`, `d2`, `g4`, `b0`, `ceil`, `ws`",
            ),
        ],
    ),
    (
        "C3D64preflct M2florr C3D64sigmiod",
        [
            ("E004", "there is no suffix `preflct` for `C3D64`", "preflct", "did you mean `C3D64preflect`?"),
            ("E004", "there is no suffix `florr` for `M2`", "florr", "did you mean `M2floor`?"),
            ("E004", "there is no suffix `sigmiod` for `C3D64`", "sigmiod", "did you mean `C3D64 sigmoid`?"),
        ],
    ),
    (
        "FC-4096R",
        [
            ("E003", "`R` is glued to `FC-4096`", "R", "put a space after it, or write it `FC4096`"),
        ],
    ),
    (
        "conv3-64R",
        [
            ("E003", "`R` is glued to `conv3-64`", "R", "put a space after it, or write it `C3D64`"),
        ],
    ),
    (
        "FC(10)",
        [
            (
                "E003",
                "brackets are glued to the layer `FC`",
                "(10)",
                "a layer's numbers follow its letters directly, as in `FC10`",
            ),
        ],
    ),
    (
        "conv3-64(R)",
        [
            ("E003", "`(` is glued to `conv3-64`", "(", "put a space after it, or write it `C3D64`"),
        ],
    ),
    # ---- E004
    (
        "C3D64s2",
        [
            ("E004", "there is no suffix `s` for `C3D64`", "s2", "a stride is written with a slash: `C3D64/2`"),
        ],
    ),
    (
        "C3D64k3",
        [
            (
                "E004",
                "there is no suffix `k` for `C3D64`",
                "k3",
                "a convolution may carry `D64`, `/2`, `p1`, `d2`, `g4`, `b0`, `ceil`, `ws`",
            ),
        ],
    ),
    (
        "C3p",
        [
            (
                "E004",
                "the padding `p` of `C3p` needs a number or one of same, valid, half and full after it",
                "p",
                "write it as in `C3p1`",
            ),
        ],
    ),
    (
        "C3D64b2",
        [
            ("E004", "the bias `b` of `C3D64b2` needs 0 or 1 after it", "b2", "write it as in `C3D64b0`"),
        ],
    ),
    (
        "C3-64",
        [
            ("E004", "`-64` is not part of a layer", "-64", "a depth is written `D`, a stride `/`: `C3D64`"),
        ],
    ),
    (
        "C3-2D4",
        [
            ("E004", "`-2` is not part of a layer", "-2", "a depth is written `D`, a stride `/`: `C3D2`"),
        ],
    ),
    (
        "C3/",
        [
            ("E004", "`/` needs a number", "/", "write it directly after, as in `C3/2`"),
        ],
    ),
    (
        "C3D64x2",
        [
            (
                "E004",
                "there is no suffix `x` for `C3D64`",
                "x2",
                "a convolution may carry `D64`, `/2`, `p1`, `d2`, `g4`, `b0`, `ceil`, `ws`",
            ),
        ],
    ),
    (
        "C3psame2",
        [
            (
                "E004",
                "the number `2` belongs to nothing in `C3psame2`",
                "2",
                "a convolution may carry `D64`, `/2`, `p1`, `d2`, `g4`, `b0`, `ceil`, `ws`",
            ),
        ],
    ),
    (
        "C3D64d",
        [
            ("E004", "the dilation `d` of `C3D64d` needs a number after it", "d", "write it as in `C3D64d2`"),
        ],
    ),
    (
        "M2s2",
        [
            ("E004", "there is no suffix `s` for `M2`", "s2", "a stride is written with a slash: `M2/2`"),
        ],
    ),
    (
        "M2-2",
        [
            ("E004", "`-2` is not part of a layer", "-2", "a depth is written `D`, a stride `/`: `M2/2`"),
        ],
    ),
    (
        "Ry",
        [
            ("E004", "there is no suffix `y` for `R`", "y", "a ReLU has no suffixes: put a space after `R`"),
        ],
    ),
    (
        "FC1e3",
        [
            ("E004", "there is no suffix `e` for `FC1`", "e3", "a fully connected layer may carry `b0`"),
        ],
    ),
    # ---- E005
    (
        "C3/2/2",
        [
            ("E005", "the stride is written twice in `C3/2/2`", "/2", "once is enough: `C3/2`"),
        ],
    ),
    (
        "C3D32D64",
        [
            ("E005", "the depth is written twice in `C3D32D64`", "D64", "keep one of `D32` and `D64`"),
        ],
    ),
    (
        "C3p1psame",
        [
            ("E005", "the padding is written twice in `C3p1psame`", "psame", "keep one of `p1` and `psame`"),
        ],
    ),
    # ---- E006
    (
        "C3d64",
        [
            (
                "E006",
                "`C3d64` asks for a dilation of 64 and gives no depth",
                "d64",
                "write `C3D64` for a depth of 64, or `C3D{c}d64` if the dilation is meant",
            ),
        ],
    ),
    (
        "DWd64",
        [
            (
                "E006",
                "`DWd64` asks for a dilation of 64 and gives no depth",
                "d64",
                "write `DWD64` for a depth of 64, or `DWD{c}d64` if the dilation is meant",
            ),
        ],
    ),
    (
        "C3d64p1",
        [
            (
                "E006",
                "`C3d64p1` asks for a dilation of 64 and gives no depth",
                "d64",
                "write `C3D64p1` for a depth of 64, or `C3D{c}d64p1` if the dilation is meant",
            ),
        ],
    ),
    (
        "[C3 | C3d32",
        [
            ("E011", "`[` is never closed", "[", "put `]` after the last item that belongs to it"),
            (
                "E006",
                "`C3d32` asks for a dilation of 32 and gives no depth",
                "d32",
                "write `C3D32` for a depth of 32, or `C3D{c}d32` if the dilation is meant",
            ),
        ],
    ),
    # ---- E007
    (
        "C3 D64",
        [
            ("E007", "a layer is written without spaces, unlike `C3 D64`", "C3 D64", "write `C3D64`"),
        ],
    ),
    (
        "C3D64 /2",
        [
            ("E007", "a layer is written without spaces, unlike `C3D64 /2`", "C3D64 /2", "write `C3D64/2`"),
        ],
    ),
    (
        "C 3 D64 /2",
        [
            ("E007", "a layer is written without spaces, unlike `C 3 D64 /2`", "C 3 D64 /2", "write `C3D64/2`"),
        ],
    ),
    (
        "FC 4096",
        [
            ("E007", "a layer is written without spaces, unlike `FC 4096`", "FC 4096", "write `FC4096`"),
        ],
    ),
    (
        "C3 p1",
        [
            ("E007", "a layer is written without spaces, unlike `C3 p1`", "C3 p1", "write `C3p1`"),
        ],
    ),
    (
        "C3 D{a}",
        [
            ("E007", "a layer is written without spaces, unlike `C3 D{a}`", "C3 D{a}", "write `C3D{a}`"),
        ],
    ),
    (
        "M 3/2",
        [
            ("E007", "a layer is written without spaces, unlike `M 3/2`", "M 3/2", "write `M3/2`"),
        ],
    ),
    (
        "C3 psame",
        [
            ("E007", "a layer is written without spaces, unlike `C3 psame`", "C3 psame", "write `C3psame`"),
        ],
    ),
    # ---- E008
    (
        "MP2",
        [
            (
                "E008",
                "`MP2` could be one pool or two",
                "MP2",
                "write `M2` for a max pool, or two pools with a space: `M P2`",
            ),
        ],
    ),
    (
        "AP",
        [
            (
                "E008",
                "`AP` could be one pool or two",
                "AP",
                "write `A` for an average pool, or two pools with a space: `A P`",
            ),
        ],
    ),
    (
        "RMS",
        [
            (
                "E008",
                "`RMS` could be a norm or three layers",
                "RMS",
                "write `rms` for normalisation by the root mean square, or three layers with spaces: `R M S`",
            ),
        ],
    ),
    (
        "DO0.5",
        [
            ("E008", "`DO0.5` is not a dropout layer", "DO0.5", "write `drop(0.5)`"),
        ],
    ),
    (
        "DO",
        [
            ("E008", "`DO` is not a dropout layer", "DO", "write `drop(p)`, with its probability p"),
        ],
    ),
    (
        "D0.5",
        [
            ("E008", "`D0.5` is not a dropout layer", "D0.5", "write `drop(0.5)`"),
        ],
    ),
    # ---- E009
    (
        "[C3 | ]",
        [
            (
                "E009",
                "the branch before this `]` is empty",
                "]",
                "write `x` where the value should pass unchanged, as in `[C3D64 | x]`",
            ),
        ],
    ),
    (
        "[| C3]",
        [
            (
                "E009",
                "the branch before this `|` is empty",
                "|",
                "write `x` where the value should pass unchanged, as in `[C3D64 | x]`",
            ),
        ],
    ),
    (
        "(C3 + )",
        [
            (
                "E009",
                "the branch before this `)` is empty",
                ")",
                "write `x` where the value should pass unchanged, as in `(C3D64 + x)`",
            ),
        ],
    ),
    (
        "()",
        [
            ("E009", "these brackets are empty", ")", "put layers in, or remove them"),
        ],
    ),
    (
        "[]",
        [
            ("E009", "these brackets are empty", "]", "put layers in, or remove them"),
        ],
    ),
    (
        "( + R)",
        [
            (
                "E009",
                "the branch before this `+` is empty",
                "+",
                "write `x` where the value should pass unchanged, as in `(C3D64 + x)`",
            ),
        ],
    ),
    (
        "[C3 | | R]",
        [
            (
                "E009",
                "the branch before this `|` is empty",
                "|",
                "write `x` where the value should pass unchanged, as in `[C3D64 | x]`",
            ),
        ],
    ),
    # ---- E010
    (
        "(a + b * c)",
        [
            (
                "E010",
                "`+` and `*` are mixed in one group",
                "*",
                "put brackets around one of them, as in `((a + b) * c)`",
            ),
        ],
    ),
    (
        "[a | b + c]",
        [
            (
                "E010",
                "`|` and `+` are mixed in one group",
                "+",
                "put brackets around one of them, as in `([a | b] + c)`",
            ),
        ],
    ),
    (
        "(a + b | c)",
        [
            (
                "E010",
                "`+` and `|` are mixed in one group",
                "|",
                "put brackets around one of them, as in `[(a + b) | c]`",
            ),
        ],
    ),
    # ---- E011
    (
        "(C3 R",
        [
            ("E011", "`(` is never closed", "(", "put `)` after the last item that belongs to it"),
        ],
    ),
    (
        "[C3 | (R]",
        [
            ("E011", "`(` is closed by `]`", "]", "put `)` before it"),
        ],
    ),
    (
        "C3 )",
        [
            ("E011", "`)` closes nothing", ")", "remove it, or put the `(` where it should start"),
        ],
    ),
    (
        "C3D{4 R",
        [
            ("E011", "`{` is never closed", "{", "put `}` after the last item that belongs to it"),
        ],
    ),
    (
        "(C3 R]",
        [
            ("E011", "`(` is closed by `]`", "]", "write `)`"),
        ],
    ),
    (
        "drop(0.5 R",
        [
            ("E011", "`(` is never closed", "(", "put `)` after the last item that belongs to it"),
        ],
    ),
    (
        "[C3 | (R + x ]",
        [
            ("E011", "`(` is closed by `]`", "]", "put `)` before it"),
        ],
    ),
    (
        "(C3\ndef f: R",
        [
            ("E011", "`(` is never closed", "(", "put `)` after the last item that belongs to it"),
        ],
    ),
    (
        "(C3 R\nM\nexpect: params=1",
        [
            ("E011", "`(` is never closed", "(", "put `)` after the last item that belongs to it"),
        ],
    ),
    (
        "C3D{4*a",
        [
            ("E011", "`{` is never closed", "{", "put `}` after the last item that belongs to it"),
        ],
    ),
    (
        "((R",
        [
            ("E011", "`(` is never closed", "(", "put `)` after the last item that belongs to it"),
            ("E011", "`(` is never closed", "(", "put `)` after the last item that belongs to it"),
        ],
    ),
    (
        "def f(a: R",
        [
            ("E011", "`(` is never closed", "(", "put `)` after the last item that belongs to it"),
        ],
    ),
    (
        "(C3 R\nC3\ndef f: R\nlet N=",
        [
            ("E011", "`(` is never closed", "(", "put `)` after the last item that belongs to it"),
            (
                "E016",
                "the line ends where a number, a name or a bracket is needed",
                "=",
                "write a number such as `64`, or an expression such as `4*a`",
            ),
        ],
    ),
    # ---- E012
    (
        "C3 3x3",
        [
            (
                "E012",
                "`3x3` does not say which number is the depth",
                "3x3",
                "write the depth first, then `@`, as in `3@3x3`",
            ),
        ],
    ),
    (
        "3x224x224 C3",
        [
            (
                "E012",
                "`3x224x224` does not say which number is the depth",
                "3x224x224",
                "write the depth first, then `@`: `3@224x224`",
            ),
        ],
    ),
    (
        "input: 3x224x224",
        [
            (
                "E012",
                "`3x224x224` does not say which number is the depth",
                "3x224x224",
                "write the depth first, then `@`: `3@224x224`",
            ),
        ],
    ),
    (
        "input: 224x224x3",
        [
            (
                "E012",
                "`224x224x3` does not say which number is the depth",
                "224x224x3",
                "write the depth first, then `@`: `3@224x224`",
            ),
        ],
    ),
    (
        "input: 28x28",
        [
            (
                "E012",
                "`28x28` does not say which number is the depth",
                "28x28",
                "write the depth first, then `@`, as in `3@28x28`",
            ),
        ],
    ),
    (
        "3@{n}",
        [
            (
                "E012",
                "a volume needs its extents after the `@`",
                "3@",
                "write them in plain numbers, as in `3@224x224`, not `{n}`",
            ),
        ],
    ),
    (
        "1@2x3x4x5",
        [
            (
                "E012",
                "this volume has 4 extents after the `@`",
                "1@2x3x4x5",
                "a volume has one (1-D), two (2-D) or three (3-D)",
            ),
        ],
    ),
    (
        "input: 3@",
        [
            (
                "E012",
                "a volume needs its extents after the `@`",
                "3@",
                "write them in plain numbers, as in `3@224x224`",
            ),
        ],
    ),
    # ---- E014
    (
        "c3d64 R",
        [
            ("E014", "`c3d64` is written in small letters, and a layer in capitals", "c3d64", "write `C3D64`"),
        ],
    ),
    (
        "conv3d64",
        [
            ("E014", "`conv3d64` is written in small letters, and a layer in capitals", "conv3d64", "write `C3D64`"),
        ],
    ),
    (
        "conv3",
        [
            ("E014", "`conv3` is written in small letters, and a layer in capitals", "conv3", "write `C3`"),
        ],
    ),
    (
        "m2",
        [
            ("E014", "`m2` is written in small letters, and a layer in capitals", "m2", "write `M2`"),
        ],
    ),
    (
        "fc10",
        [
            ("E014", "`fc10` is written in small letters, and a layer in capitals", "fc10", "write `FC10`"),
        ],
    ),
    (
        "conv3x3-64",
        [
            (
                "E014",
                "`conv3x3-64` is written in small letters, and a layer in capitals",
                "conv3x3-64",
                "write `C3x3D64`",
            ),
        ],
    ),
    (
        "gap",
        [
            ("E014", "`gap` is written in small letters, and a layer in capitals", "gap", "write `GAP`"),
        ],
    ),
    (
        "fc",
        [
            ("E014", "`fc` is written in small letters, and a layer in capitals", "fc", "write `FC`"),
        ],
    ),
    (
        "def f(a): a m2",
        [
            ("E014", "`m2` is written in small letters, and a layer in capitals", "m2", "write `M2`"),
        ],
    ),
    # ---- E015
    (
        "(R) *3",
        [
            ("E015", "a space separates the repeat `*3` from what it repeats", "*3", "write `(R)*3`"),
        ],
    ),
    (
        "(R)* 3",
        [
            ("E015", "a space separates the repeat `*3` from what it repeats", "* 3", "write `(R)*3`"),
        ],
    ),
    (
        "(a *3)",
        [
            ("E015", "a space separates the repeat `*3` from what it repeats", "*3", "write `a*3`"),
        ],
    ),
    (
        "R * 3",
        [
            ("E015", "a space separates the repeat `*3` from what it repeats", "* 3", "write `R*3`"),
        ],
    ),
    (
        "R *N",
        [
            ("E015", "a space separates the repeat `*N` from what it repeats", "*N", "write `R*N`"),
        ],
    ),
    (
        "R *{2*a}",
        [
            ("E015", "a space separates the repeat `*{2*a}` from what it repeats", "*{2*a}", "write `R*{2*a}`"),
        ],
    ),
    (
        "R *3",
        [
            ("E015", "a space separates the repeat `*3` from what it repeats", "*3", "write `R*3`"),
        ],
    ),
    # ---- E016
    (
        "INPUT C3 INPUT",
        [
            (
                "E016",
                "`INPUT` is allowed only at the start of the trunk",
                "INPUT",
                "leave it out; `x` is the value that enters a branch",
            ),
        ],
    ),
    (
        "D64",
        [
            (
                "E016",
                "`D64` is a depth, but its layer is missing",
                "D64",
                "glue it to its layer, as in `C3D64`",
            ),
        ],
    ),
    (
        "R D64",
        [
            (
                "E016",
                "`D64` is a depth, but its layer is missing",
                "D64",
                "glue it to its layer, as in `C3D64`",
            ),
        ],
    ),
    (
        "/2",
        [
            (
                "E016",
                "`/2` is a stride, but its layer is missing",
                "/2",
                "glue it to its layer, as in `C3/2`",
            ),
        ],
    ),
    (
        "(R) /2",
        [
            (
                "E016",
                "`/2` is a stride, but its layer is missing",
                "/2",
                "glue it to its layer, as in `C3/2`",
            ),
        ],
    ),
    (
        "(a | b)",
        [
            ("E016", "`|` puts branches side by side in square brackets, but these are round", "|", "write `[a | b]`"),
        ],
    ),
    (
        "[a + b]",
        [
            ("E016", "`+` adds branches in round brackets, but these are square", "+", "write `(a + b)`"),
        ],
    ),
    (
        "R*n",
        [
            ("E016", "`*n` needs braces around the name", "*n", "write `R*{n}`"),
        ],
    ),
    (
        "R*NUM",
        [
            ("E016", "`*NUM` needs braces around the name", "*NUM", "write `R*{NUM}`"),
        ],
    ),
    (
        "R *",
        [
            (
                "E016",
                "`*` multiplies branches only inside round brackets",
                "*",
                "write `(a * b)` for a gate, or `*3`, glued, for a repeat",
            ),
        ],
    ),
    (
        "R * R",
        [
            (
                "E016",
                "`*` multiplies branches only inside round brackets",
                "*",
                "write `(a * b)` for a gate, or `*3`, glued, for a repeat",
            ),
        ],
    ),
    (
        "*3",
        [
            ("E016", "there is nothing before `*3` to repeat", "*3", "write it as in `(C3D64 R)*3`"),
        ],
    ),
    (
        "2*(R)",
        [
            (
                "E016",
                "`2` is only a number, which is not a layer",
                "2",
                "a repeat follows what it repeats: `(C3D64 R)*2`",
            ),
        ],
    ),
    (
        "C3 + x",
        [
            ("E016", "`+` adds branches only inside round brackets", "+", "write `(a + b)`"),
        ],
    ),
    (
        "C3 - x",
        [
            ("E016", "`-` subtracts branches only inside round brackets, with spaces", "-", "write `(a - b)`"),
        ],
    ),
    (
        "C3 / x",
        [
            ("E016", "`/` divides branches only inside round brackets, with spaces", "/", "write `(a / b)`"),
        ],
    ),
    (
        "[C3 - x]",
        [
            (
                "E016",
                "`-` subtracts branches in round brackets, but these are square",
                "-",
                "write `(a - b)`",
            ),
        ],
    ),
    (
        "(C3 - x + R)",
        [
            (
                "E010",
                "`-` and `+` are mixed in one group",
                "+",
                "put brackets around one of them, as in `((a - b) + c)`",
            ),
        ],
    ),
    (
        "C3 | R",
        [
            ("E016", "`|` separates branches only inside square brackets", "|", "write `[a | b]`"),
        ],
    ),
    (
        "C3, R",
        [
            ("E016", "`,` cannot separate items; spaces do", ",", "leave it out"),
        ],
    ),
    (
        "{n}",
        [
            (
                "E016",
                "an expression in braces cannot stand alone",
                "{n}",
                "glue it to a layer, as in `C3D{n}`, or to a `*`",
            ),
        ],
    ),
    (
        "64 R",
        [
            (
                "E016",
                "`64` is only a number, which is not a layer",
                "64",
                "a convolution of depth 64 is `CkD64`, with its kernel k",
            ),
        ],
    ),
    (
        "@",
        [
            (
                "E016",
                "`@` has no name after it",
                "@",
                "write the name a value was given, as in `C3D64 as stem … @stem`",
            ),
        ],
    ),
    (
        "@Stem",
        [
            (
                "E016",
                "`@Stem` begins with a capital letter, which belongs to layers",
                "@Stem",
                "write `@stem`, and name the value `as stem`",
            ),
        ],
    ),
    (
        "-> R",
        [
            (
                "E016",
                "`->` must be between two items, but one of them is missing",
                "->",
                "remove it; to continue a line, indent the next one",
            ),
        ],
    ),
    (
        "R ->",
        [
            (
                "E016",
                "`->` must be between two items, but one of them is missing",
                "->",
                "remove it; to continue a line, indent the next one",
            ),
        ],
    ),
    (
        "R -> -> R",
        [
            (
                "E016",
                "`->` must be between two items, but one of them is missing",
                "->",
                "remove it; to continue a line, indent the next one",
            ),
        ],
    ),
    (
        "C3 as",
        [
            ("E016", "a name is missing after `as`", "s", "write one in small letters, as in `C3D64 as stem`"),
        ],
    ),
    (
        "C3 as Stem",
        [
            ("E016", "`Stem` begins with a capital letter and cannot name a value", "Stem", "write `stem`"),
        ],
    ),
    (
        "C3 as let",
        [
            ("E016", "`let` is a word of the language and cannot name a value", "let", "choose another name"),
        ],
    ),
    (
        "as stem",
        [
            (
                "E016",
                "`as` names the value before it, but there is none",
                "as",
                "put it after a layer or a bracket, as in `C3D64 as stem`",
            ),
        ],
    ),
    (
        "split R",
        [
            ("E016", "`split` has no brackets", "split", "write its branches: `split[C3D64 | x]`"),
        ],
    ),
    (
        "R let N=2",
        [
            (
                "E016",
                "`let` begins a statement and cannot be part of a series",
                "let",
                "put it at the beginning of a line, without indentation",
            ),
        ],
    ),
    (
        "R*3as p",
        [
            ("E016", "`as` is glued to the repeat `*3`", "as", "put a space before `as`"),
        ],
    ),
    (
        "R*3x",
        [
            ("E016", "`x` is glued to the repeat `*3`", "x", "put a space before `x`"),
        ],
    ),
    (
        "C3.5",
        [
            ("E016", "a layer's numbers are whole, and `3.5` is not", "3.5", "write a whole number after `C`"),
        ],
    ),
    (
        "C3D0.5",
        [
            ("E016", "a layer's numbers are whole, and `0.5` is not", "0.5", "write a whole number after `C3D`"),
        ],
    ),
    (
        "C3 = 2",
        [
            (
                "E016",
                "`=` cannot begin a layer",
                "=",
                "a layer begins with a capital letter, a word or a block with a small one",
            ),
            (
                "E016",
                "`2` is only a number, which is not a layer",
                "2",
                "a convolution of depth 2 is `CkD2`, with its kernel k",
            ),
        ],
    ),
    (
        "~",
        [
            (
                "E016",
                "`~` cannot begin a layer",
                "~",
                "a layer begins with a capital letter, a word or a block with a small one",
            ),
        ],
    ),
    (
        "C3D{}",
        [
            (
                "E016",
                "`}` stands where a number, a name or a bracket is needed",
                "}",
                "write a number such as `64`, or an expression such as `4*a`",
            ),
        ],
    ),
    (
        "C3D{4 a}",
        [
            (
                "E016",
                "`a` follows a value inside `{}` without an operator",
                "a",
                "write an operator or a comma before it, or `}`",
            ),
        ],
    ),
    (
        "C3D{4a}",
        [
            ("E016", "`a` is glued to the number `4`", "4a", "a product needs its sign: `4*a`"),
        ],
    ),
    (
        "C3D{.5}",
        [
            ("E016", "a number cannot begin with a point, as `.5` does", ".5", "write `0.5`"),
        ],
    ),
    (
        "C3D{a*}",
        [
            (
                "E016",
                "`}` stands where a number, a name or a bracket is needed",
                "}",
                "write a number such as `64`, or an expression such as `4*a`",
            ),
        ],
    ),
    (
        "drop(,)",
        [
            (
                "E016",
                "`,` stands where a number, a name or a bracket is needed",
                ",",
                "write a number such as `64`, or an expression such as `4*a`",
            ),
        ],
    ),
    (
        "drop(0.5,)",
        [
            (
                "E016",
                "`)` stands where a number, a name or a bracket is needed",
                ")",
                "write a number such as `64`, or an expression such as `4*a`",
            ),
        ],
    ),
    (
        "f(a=1=2)",
        [
            ("E016", "one argument has two `=`", "=", "put a comma between two arguments"),
        ],
    ),
    (
        "let N=@p",
        [
            (
                "E016",
                "a number is needed here, not a tap",
                "@p",
                "a tap can only be a whole argument, as in `cell(64, @stem)`",
            ),
        ],
    ),
    (
        "C3D{@p}",
        [
            (
                "E016",
                "a number is needed here, not a tap",
                "@p",
                "a tap can only be a whole argument, as in `cell(64, @stem)`",
            ),
        ],
    ),
    (
        "default: Cb0 drop",
        [
            (
                "E016",
                "`drop` follows the end of the `default` statement",
                "drop",
                "begin a new line for the next statement, without indentation",
            ),
        ],
    ),
    (
        "let N=",
        [
            (
                "E016",
                "the line ends where a number, a name or a bracket is needed",
                "=",
                "write a number such as `64`, or an expression such as `4*a`",
            ),
        ],
    ),
    (
        "let N=1 M=2",
        [
            (
                "E016",
                "`M` follows the end of the `let` statement",
                "M",
                "begin a new line for the next statement, without indentation",
            ),
        ],
    ),
    (
        "head b @: FC2",
        [
            (
                "E016",
                "`@` has no name after it",
                "@",
                "write the name a value was given, as in `C3D64 as stem … @stem`",
            ),
        ],
    ),
    (
        "input: 3@4x4 R",
        [
            (
                "E016",
                "`R` follows the end of the `input` statement",
                "R",
                "begin a new line for the next statement, without indentation",
            ),
        ],
    ),
    (
        "  input: 3@4x4\n  C3D64 R",
        [
            (
                "E016",
                "`C3D64` continues the `input` statement, because its line is indented",
                "C3D64",
                "begin the line without indentation",
            ),
        ],
    ),
    (
        "R*2*3",
        [
            ("E016", "`*3` cannot follow a repeat or a name", "*3", "put brackets around what it repeats: `(R*2)*3`"),
        ],
    ),
    (
        "R as p *2",
        [
            (
                "E016",
                "`*2` cannot follow a repeat or a name",
                "*2",
                "put brackets around what it repeats: `(R as p)*2`",
            ),
        ],
    ),
    (
        "maxpool D64",
        [
            (
                "E016",
                "`D64` is a depth, but its layer is missing",
                "D64",
                "glue it to its layer, as in `C3D64`",
            ),
        ],
    ),
    (
        "C3-",
        [
            (
                "E016",
                "`-` cannot begin a layer",
                "-",
                "a layer begins with a capital letter, a word or a block with a small one",
            ),
        ],
    ),
    # ---- E017
    (
        "let let=2",
        [
            ("E017", "`let` is a word of the language and cannot be a name", "let", "choose another name"),
        ],
    ),
    (
        "C3: R",
        [
            (
                "E017",
                "`C3:` is not a statement",
                "C3",
                "the statements are input, default, let, def, shared, head and expect",
            ),
        ],
    ),
    (
        "R:",
        [
            (
                "E017",
                "`R:` is not a statement",
                "R",
                "the statements are input, default, let, def, shared, head and expect",
            ),
        ],
    ),
    (
        "input 3@4x4",
        [
            ("E017", "this `input` has no colon", "input", "write it as in `input: 3@224x224`"),
        ],
    ),
    (
        "input:",
        [
            ("E017", "this `input` has no volume", "input", "write it as in `input: 3@224x224`"),
        ],
    ),
    (
        "input: three",
        [
            ("E017", "an input's volume is written in plain numbers", "three", "write it as in `input: 3@224x224`"),
        ],
    ),
    (
        "input: 784",
        [
            (
                "E017",
                "`784` alone is not a volume",
                "784",
                "write the depth, `@` and the extents; a flat input of 784 is `784@1`",
            ),
        ],
    ),
    (
        "Input: 3@4x4",
        [
            ("E017", "`Input:` is not a statement", "Input", "write `input`"),
        ],
    ),
    (
        "inputs: 3@4x4",
        [
            ("E017", "`inputs:` is not a statement", "inputs", "write `input`"),
        ],
    ),
    (
        "foo: R",
        [
            (
                "E017",
                "`foo:` is not a statement",
                "foo",
                "the statements are input, default, let, def, shared, head and expect",
            ),
        ],
    ),
    (
        "default:",
        [
            ("E017", "this `default` names no layer", "default", "write it as in `default: Cb0 M3/2`"),
        ],
    ),
    (
        "default: r",
        [
            ("E017", "this `default` names no layer", "default", "write it as in `default: Cb0 M3/2`"),
        ],
    ),
    (
        "default Cb0",
        [
            ("E017", "this `default` has no colon", "default", "write it as in `default: Cb0 M3/2`"),
        ],
    ),
    (
        "let",
        [
            ("E017", "a name is missing in this `let`", "t", "write it as in `let N=2, M=3`"),
        ],
    ),
    (
        "let N",
        [
            ("E017", "`N` has no value", "N", "write it as in `let N=2, M=3`"),
        ],
    ),
    (
        "let: N=2",
        [
            ("E017", "a name is missing in this `let`", ":", "write it as in `let N=2, M=3`"),
        ],
    ),
    (
        "def",
        [
            ("E017", "a name is missing in this `def`", "f", "write it as in `def block(d, s=1): C3D{d}/{s} R`"),
        ],
    ),
    (
        "shared f C3",
        [
            ("E017", "this `shared` has no colon", "shared", "write it as in `shared f: C3D64 R`"),
        ],
    ),
    (
        "def F: R",
        [
            ("E017", "`F` begins with a capital letter, which belongs to layers", "F", "write `f`"),
        ],
    ),
    (
        "def f (a): R",
        [
            ("E017", "there is a space between `f` and its bracket", "f (", "write `def f(`"),
        ],
    ),
    (
        "def f(a) R",
        [
            ("E017", "this `def` has no colon", "def", "write it as in `def f: C3D64 R`"),
        ],
    ),
    (
        "def f:",
        [
            (
                "E017",
                "this `def` has no layers",
                "def",
                "write them after the colon, or indented on the next line",
            ),
        ],
    ),
    (
        "def f(2): R",
        [
            ("E017", "a name is missing in this `def`", "2", "write it as in `def block(d, s=1): C3D{d}/{s} R`"),
        ],
    ),
    (
        "head: FC1",
        [
            ("E017", "a name is missing in this `head`", ":", "write it as in `head aux @stem: GAP FC10`"),
        ],
    ),
    (
        "head b FC1",
        [
            ("E017", "this `head` has no colon", "head", "write it as in `head b @stem: GAP FC10`"),
        ],
    ),
    (
        "head b:",
        [
            (
                "E017",
                "this `head` has no layers",
                "head",
                "write them after the colon, or indented on the next line",
            ),
        ],
    ),
    (
        "expect params=3",
        [
            ("E017", "this `expect` has no colon", "expect", "write it as in `expect: params=25557032`"),
        ],
    ),
    (
        "expect:",
        [
            ("E017", "this `expect` states nothing", "expect", "write it as in `expect: params=25557032`"),
        ],
    ),
    (
        "expect: params",
        [
            (
                "E017",
                "`params` is compared to nothing",
                "params",
                "write `params=…` for exactly, `~` for about, or a bound with `<=` or `>=`",
            ),
        ],
    ),
    (
        "expect: params=",
        [
            ("E017", "`params` is compared to nothing", "params", "write a value: `params=1000`"),
        ],
    ),
    (
        "expect: params==3",
        [
            ("E017", "there are two equal signs here", "==", "write `params=…`, with one"),
        ],
    ),
    (
        "expect: params=138,357,544",
        [
            (
                "E017",
                "`,` is not a quantity that `expect` can check",
                ",",
                "write a long number without commas",
            ),
        ],
    ),
    (
        "expect: params=3, macs=4",
        [
            (
                "E017",
                "`,` is not a quantity that `expect` can check",
                ",",
                "separate them with a space",
            ),
        ],
    ),
    (
        "expect: P=3",
        [
            ("E017", "`P` begins with a capital letter, which belongs to layers", "P", "write `p`"),
        ],
    ),
    (
        "expect: params=3X",
        [
            ("E017", "`X` is not a unit", "X", "the units are K, M, G, T, P, KiB, MiB, GiB, TiB, PiB, s, ms, us"),
        ],
    ),
    (
        "expect: params=3MB",
        [
            ("E017", "`MB` is not a unit", "MB", "the units are K, M, G, T, P, KiB, MiB, GiB, TiB, PiB, s, ms, us"),
        ],
    ),
    (
        "expect main",
        [
            ("E017", "this `expect` has no colon", "expect", "write it as in `expect: params=25557032`"),
        ],
    ),
    (
        "expect Main: p=3",
        [
            ("E017", "`Main` begins with a capital letter, which belongs to layers", "Main", "write `main`"),
        ],
    ),
    # ---- E018
    (
        "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
        [
            ("E018", "brackets are nested more than 64 deep here", "(", "give the inner part a name with `def`"),
        ],
    ),
    (
        "C3D{((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))}",
        [
            ("E018", "brackets are nested more than 64 deep here", "(", "give the inner part a name with `def`"),
        ],
    ),
    (
        "C3D{1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1}",
        [
            ("E018", "this expression has more than 100 operators and brackets", "+", "name parts of it with `let`"),
        ],
    ),
    # ---- E101
    (
        "FC",
        [
            (
                "E101",
                "a fully connected layer needs its number of units",
                "FC",
                "write it directly after `FC`, as in `FC1000`",
            ),
        ],
    ),
    (
        "GN",
        [
            (
                "E101",
                "group normalisation needs its number of groups",
                "GN",
                "write it directly after `GN`, as in `GN32`",
            ),
        ],
    ),
    (
        "T",
        [
            ("E101", "a transposed convolution needs its kernel", "T", "write it directly after `T`, as in `T2D64/2`"),
        ],
    ),
    (
        "T/2",
        [
            (
                "E101",
                "a transposed convolution needs its kernel",
                "T/2",
                "write it directly after `T`, as in `T2D64/2`",
            ),
        ],
    ),
    # ---- E102
    (
        "R3",
        [
            (
                "E102",
                "the `3` of `R3` means nothing: a ReLU has no size",
                "3",
                "leave it out: `R`; 3 in a row are `R*3`",
            ),
        ],
    ),
    (
        "R6",
        [
            (
                "E102",
                "the `6` of `R6` means nothing: a ReLU has no size",
                "6",
                "leave it out: `R`; a ReLU that stops at 6 is `relu6`",
            ),
        ],
    ),
    (
        "M2/2preflect",
        [
            (
                "E102",
                "the padding `preflect` means nothing on a max pool: it pads with zeros alone",
                "preflect",
                "pad before it: `pad(1,reflect)`",
            ),
        ],
    ),
    (
        "C3D64 preflect",
        [
            (
                "E007",
                "a layer is written without spaces, unlike `C3D64 preflect`",
                "C3D64 preflect",
                "write `C3D64preflect`",
            ),
        ],
    ),
    (
        "M2/2preflect",
        [
            (
                "E102",
                "the padding `preflect` means nothing on a max pool: it pads with zeros alone",
                "preflect",
                "pad before it: `pad(1,reflect)`",
            ),
        ],
    ),
    (
        "C3D64 preflect",
        [
            (
                "E007",
                "a layer is written without spaces, unlike `C3D64 preflect`",
                "C3D64 preflect",
                "write `C3D64preflect`",
            ),
        ],
    ),
    (
        "M2D64",
        [
            ("E102", "the depth `D64` means nothing on a max pool", "D64", "leave it out: `M2`"),
        ],
    ),
    (
        "BNp1",
        [
            ("E102", "the padding `p1` means nothing on batch normalisation", "p1", "leave it out: `BN`"),
        ],
    ),
    (
        "BN64",
        [
            ("E102", "the `64` of `BN64` means nothing: batch normalisation has no size", "64", "leave it out: `BN`"),
        ],
    ),
    (
        "FC10p1",
        [
            ("E102", "the padding `p1` means nothing on a fully connected layer", "p1", "leave it out: `FC10`"),
        ],
    ),
    (
        "LRN5D3",
        [
            ("E102", "the depth `D3` means nothing on local response normalisation", "D3", "leave it out: `LRN5`"),
        ],
    ),
    (
        "C3D64 R6D2",
        [
            (
                "E102",
                "the `6` of `R6D2` means nothing: a ReLU has no size",
                "6",
                "leave it out: `RD2`; 6 in a row are `R*6`",
            ),
            ("E102", "the depth `D2` means nothing on a ReLU", "D2", "leave it out: `R6`"),
        ],
    ),
    # ---- E103
    (
        "C3D1234567890123456789",
        [
            (
                "E103",
                "the number `12345678…` has 19 digits",
                "1234567890123456789",
                "no size of a network needs more than 18",
            ),
        ],
    ),
    (
        "drop(1e99)",
        [
            ("E103", "the exponent of `1e99…` is beyond 18", "1e99", "no setting of a network needs it"),
        ],
    ),
    (
        "drop(0.12345678901234567890)",
        [
            (
                "E103",
                "the number `12345678…` has 20 digits",
                "12345678901234567890",
                "no size of a network needs more than 18",
            ),
        ],
    ),
]
