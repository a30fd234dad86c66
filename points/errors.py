"""Every refusal of the points service, in order of precedence within a feature."""

from shared.errors import Invalid


class RuleRefused(Invalid):
    """A version of a rule may not come into force; ``fields`` names what and why."""

    code = "rule_refused"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"规则未保存：{reason}", {field: reason})
