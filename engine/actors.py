"""Actors: who does something, and what they may see and do.

A grant is a role within a department and a hall; None means all of them.  What is not an actor's is *not found*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from engine.errors import NotPermitted


class Role(StrEnum):
    """What somebody is in a hall or a department."""

    CLERK = "clerk"  #: 窗口人员: takes bundles in and hands results out, in a hall
    OFFICER = "officer"  #: 部门人员: decides the items of a department
    SUPERVISOR = "supervisor"  #: 大厅督查: sees everything of a hall, allows what needs allowing
    DESIGNER = "designer"  #: 流程设计: deploys diagrams
    ADMIN = "admin"  #: 系统管理: accounts, departments, halls, calendars
    CHANNEL = "channel"  #: 申请渠道: an applicants' channel; sees what it submitted
    SYSTEM = "system"  #: 部门系统: a department's own system; works on that department's items


@dataclass(frozen=True, kw_only=True)
class RoleGrant:
    """One role, and where it holds."""

    role: Role
    department: str | None = None
    hall: str | None = None


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts."""

    name: str
    display_name: str = ""
    grants: tuple[RoleGrant, ...] = ()

    def has(self, *roles: Role, department: str | None = None, hall: str | None = None) -> bool:
        """Tell whether one of the roles is held there; None asks whether it is held anywhere."""
        return any(
            g.role in roles and (department is None or g.department in {None, department}) and (hall is None or g.hall in {None, hall})
            for g in self.grants
        )

    def require(self, *roles: Role, to: str, department: str | None = None, hall: str | None = None) -> None:
        """Raise NotPermitted unless one of the roles is held there; `to` completes “Expected to …”."""
        if not self.has(*roles, department=department, hall=hall):
            needed = " or ".join(roles)
            raise NotPermitted(f"Expected to {to}, but {self.name} is no {needed} there")

    def departments(self) -> frozenset[str] | None:
        """Departments whose items the actor works on; None: of all."""
        mine = [g.department for g in self.grants if g.role in {Role.OFFICER, Role.SYSTEM}]
        return None if None in mine else frozenset(d for d in mine if d)

    def halls(self) -> frozenset[str] | None:
        """Halls whose cases the actor sees whole; None: all."""
        return self._halls

    @cached_property  # asked for each row of a list
    def _halls(self) -> frozenset[str] | None:
        mine = [g.hall for g in self.grants if g.role in {Role.CLERK, Role.SUPERVISOR}]
        if None in mine or self.has(Role.ADMIN):
            return None
        return frozenset(h for h in mine if h)

    def groups(self) -> frozenset[str]:
        """Candidate groups of tasks the actor may work on (the hall is checked beside them)."""
        found = {"window"} if self.has(Role.CLERK) else set()
        if self.has(Role.SUPERVISOR):
            found.add("supervisor")
        return frozenset(found | {f"department-{d}" for d in self.departments() or ()})


#: The engine itself: timers, steps, jobs.
ENGINE = Actor(name="engine", display_name="系统")
#: Who gives a command on this machine: whoever may do that may do everything here.
OPERATOR = Actor(name="operator", display_name="onething", grants=(RoleGrant(role=Role.ADMIN),))
