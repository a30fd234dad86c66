"""What a case looks like to its callers."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

import msgspec

from appraisal.casework.fields import APPEAL_DAYS, ERASED_ON, shown
from appraisal.casework.machines import BASIS_NAMES, MACHINES
from appraisal.casework.rules import OUTCOME_NAMES, POOL_NAMES, Machine, Outcome, Pool, Signed, Step
from shared.audit.words import authority_name
from shared.roster.roles import role_names


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A signed step."""

    id: UUID
    position: int
    step: str
    title: str
    actor_id: UUID | None
    actor_name: str
    authority: str
    proxy: bool
    effective_on: date
    recorded_at: datetime
    document: str
    words: str
    answers: str
    """JSON object: field → answer."""
    notice_id: UUID | None

    @property
    def signed(self) -> Signed:
        days = self.given.get(APPEAL_DAYS)
        return Signed(
            key=self.step,
            actor_id=self.actor_id,
            effective_on=self.effective_on,
            appeal_days=int(days) if days else None,
        )

    @property
    def given(self) -> dict[str, str]:
        return msgspec.json.decode(self.answers, type=dict[str, str])

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was recorded besides the words, as (label, words)."""
        return shown(self.given)


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case with the words a list needs."""

    id: UUID
    machine: str
    pool: Pool
    person_id: UUID | None
    name: str
    """The person's, the applicant's, or 已清除."""
    unit_code: str
    unit_name: str
    village_name: str
    township_name: str
    employment: str
    basis: str
    about_cycle_id: UUID | None
    cycle_title: str
    post_id: UUID | None
    origin_id: UUID | None
    state: str
    outcome: Outcome | None
    done: bool
    opened_at: datetime
    due_on: date | None
    overdue_on: date | None

    @property
    def kind(self) -> Machine:
        return MACHINES[self.machine]

    @property
    def title(self) -> str:
        return self.kind.title

    @property
    def pool_name(self) -> str:
        return POOL_NAMES[self.pool]

    @property
    def basis_name(self) -> str:
        return BASIS_NAMES.get(self.basis, "")

    @property
    def state_name(self) -> str:
        return self.kind.step(self.state).title

    @property
    def outcome_name(self) -> str:
        return OUTCOME_NAMES[self.outcome] if self.outcome else ""

    def waits_for(self, department: str) -> str:
        """Whose turn it is, in words; empty when nobody's."""
        if self.done:
            return ""
        following = self.kind.following(self.state)
        further = [
            step
            for step in following
            if step.outcome is not Outcome.WITHDRAWN and not (step.late and self.outcome)
        ]
        who = ["本人" for step in further if step.own]
        names = role_names(department)
        who += [names[role] for step in further for role in sorted(step.signs)]
        who += ["公示" for step in further if step.by_notice]
        return "、".join(dict.fromkeys(who))

    def authority(self, step: StepRow, department: str) -> str:
        """Under which authority a step was signed, with the unit's name."""
        code = step.authority.partition("@")[2]
        names = {9: self.township_name, 12: self.village_name, 15: self.unit_name}
        return authority_name(step.authority, names.get(len(code), "县级"), department)


class SignForm(msgspec.Struct, frozen=True, kw_only=True):
    """A step as somebody signs it."""

    step: str
    words: str
    effective_on: date
    document: str = ""
    answers: Mapping[str, str] = {}
    no_kin: bool = False
    """The signer declares to be no close relative of the person."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a new case is about."""

    machine: str
    person_id: UUID | None
    unit_code: str
    employment: str = ""
    basis: str = ""
    about_cycle_id: UUID | None = None
    post_id: UUID | None = None
    origin_id: UUID | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A step that the actor may sign next, or why not yet."""

    step: Step
    reason: str = ""
    """What stands in the way today; empty = it may be signed."""
    proxy: bool = False


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case, everything signed in it, and what may come next."""

    case: CaseRow
    steps: list[StepRow]
    choices: list[Choice]
    sealed: bool = False
    """Whether it keeps who objected, and the actor may ask."""

    @property
    def erased_on(self) -> date | None:
        """The day on which what was private was erased."""
        days = [step.given[ERASED_ON] for step in self.steps if ERASED_ON in step.given]
        return date.fromisoformat(days[0]) if days else None


class KinRow(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded kinship."""

    id: UUID
    person_id: UUID
    name: str
    relative_name: str
    recorded_at: datetime


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a step's letter, for the print page and for Word templates."""

    case_id: UUID
    person_id: UUID | None
    unit_code: str
    heading: str
    document: str
    name: str
    applicant: bool = False
    """Whether it is nobody of the roster: what is kept of the name has an end."""
    place: str
    title: str
    """What kind of case."""
    basis: str
    cycle_title: str
    step_title: str
    words: str
    facts: list[tuple[str, str]]
    effective_on: date
    actor_name: str
    issuer: str
    remedy: str
    """Until when and where one may appeal, or is answered; empty where neither is promised."""
    handed: str = ""
    """How it reaches an objector, with the contact that they gave; empty where it is served."""
    sealed: bool = False
    """Whether the objector's name is left out, and the actor may ask for it."""
    in_force: str = ""
    """When the letter takes effect, where that is not the day on which it was signed."""
