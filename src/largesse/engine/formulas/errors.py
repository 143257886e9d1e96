"""The two ways a formula can be unusable: refused when it is saved, or not computable for one cart."""


class FormulaError(ValueError):
    """A text that is no formula; raised when it is saved (documented: refused with the place).

    `message` says what is wrong and where, for a person. `index` counts characters from 0, `line` and `column` from 1,
    `near` is the text found at that place (at most 20 characters, empty at the end).
    """

    def __init__(self, problem: str, text: str, index: int) -> None:
        before = text[:index]
        self.index = index
        self.line = before.count("\n") + 1
        self.column = index - (before.rfind("\n") + 1) + 1
        self.near = text[index : index + 20].split("\n")[0].rstrip()
        self.message = f"{problem} (line {self.line}, column {self.column})"
        super().__init__(self.message)


class NotComputable(Exception):
    """A formula that has no value here: something is missing, of the wrong kind or out of range. The static number is used."""
