"""The language of formulas as an LALR grammar. Names are checked after parsing, so that a wrong one can be pointed at."""

GRAMMAR = r"""
start: any_of

?any_of: all_of (_OR all_of)*
?all_of: compared (_AND compared)*
?compared: sum (_comparator sum)?
?sum: product ((PLUS | MINUS) product)*
?product: signed ((TIMES | DIVIDE | MODULO) signed)*
?signed: MINUS operand -> negated
    | operand
?operand: NUMBER -> number
    | TEXT -> text
    | NAME -> name
    | NAME _OPEN arguments? _CLOSE -> call
    | _SWITCH _OPEN any_of _SEPARATOR case+ _SEPARATOR any_of _CLOSE -> switch
    | _OPEN any_of _CLOSE
arguments: any_of (_SEPARATOR any_of)*
case: _SWITCH_CASE _OPEN any_of _SEPARATOR any_of _CLOSE

_comparator: MORE | LESS | EQUAL | AT_LEAST | AT_MOST | UNEQUAL
    | IS | IS_NOT | CONTAINS | STARTS_WITH | ENDS_WITH | IN_ARRAY | NOT_IN_ARRAY
    | DATE_IS | DATE_IS_NOT | IS_AFTER | IS_BEFORE

_OR: "OR"
_AND: "AND"
_SWITCH: "SWITCH"
_SWITCH_CASE: "SWITCH_CASE"
MORE: ">"
LESS: "<"
EQUAL: "="
AT_LEAST: ">="
AT_MOST: "<="
UNEQUAL: "!="
IS: "is"
IS_NOT: "isNot"
CONTAINS: "contains"
STARTS_WITH: "startsWith"
ENDS_WITH: "endsWith"
IN_ARRAY: "IN_ARRAY"
NOT_IN_ARRAY: "NOT_IN_ARRAY"
DATE_IS: "DATE_IS"
DATE_IS_NOT: "DATE_IS_NOT"
IS_AFTER: "IS_AFTER"
IS_BEFORE: "IS_BEFORE"
PLUS: "+"
MINUS: "-"
TIMES: "*" | "×"
DIVIDE: "/" | "÷"
MODULO: "%"
_OPEN: "("
_CLOSE: ")"
_SEPARATOR: ";"
NUMBER: /[0-9]+(\.[0-9]+)?|\.[0-9]+/
TEXT: /"(\\.|[^"\\])*"/s
NAME: /[^\W\d]\w*(\.\w+)*/
%ignore /\s+/
"""
