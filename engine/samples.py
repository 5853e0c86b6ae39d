"""What a new installation starts with: halls, departments, and accounts for trying it out (示例账号)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import moments
from engine.account_models import Account, Grant
from engine.actors import Role
from engine.errors import NotPermitted
from engine.models import Department, Hall
from engine.passwords import WELL_KNOWN
from engine.settings import Environment

#: code: (name, level)
HALLS = {"changsha": ("长沙市政务服务中心", "city"), "yuelu": ("岳麓区政务服务中心", "county")}
DEPARTMENTS = {
    "market": "市场监管局",
    "fire": "消防救援支队",
    "urban": "城市管理局",
    "tobacco": "烟草专卖局",
    "ecology": "生态环境局",
    "gas": "燃气公司",
    "water": "水务局",
    "culture": "文旅局",
    "health": "卫生健康委",
    "police": "公安局",
    "hrss": "人力资源和社会保障局",
    "medical": "医疗保障局",
}
#: name: (display name, role, department, hall)
ACCOUNTS: dict[str, tuple[str, Role, str | None, str | None]] = {
    "designer": ("流程设计员", Role.DESIGNER, None, None),
    "clerk": ("综合窗口", Role.CLERK, None, "changsha"),
    "clerk-yuelu": ("岳麓区综合窗口", Role.CLERK, None, "yuelu"),
    "supervisor": ("大厅督查员", Role.SUPERVISOR, None, "changsha"),
    "admin": ("系统管理员", Role.ADMIN, None, None),
    "worker": ("部门系统", Role.SYSTEM, None, None),
} | {f"officer-{code}": (f"{name}审批员", Role.OFFICER, code, None) for code, name in DEPARTMENTS.items()}


def seed(session: Session, env: Environment) -> bool:
    """Load halls, departments and sample accounts (password = name) into an installation that has no account yet.

    Tell whether it was done.  Raises NotPermitted in production, where a password that everybody knows has no place.
    """
    if env is Environment.PRODUCTION:
        raise NotPermitted("Expected to load sample accounts, but this installation is for production")
    if session.scalar(select(Account.id).limit(1)) is not None:
        return False
    session.add_all(Department(code=code, name=name) for code, name in DEPARTMENTS.items())
    session.add_all(Hall(code=code, name=name, level=level) for code, (name, level) in HALLS.items())
    for name, (display_name, role, department, hall) in ACCOUNTS.items():
        account = Account(name=name, display_name=display_name, password_hash=WELL_KNOWN.hash(name), created_at=moments.now())
        session.add(account)
        session.flush()
        session.add(Grant(account_id=account.id, role=role, department=department, hall=hall))
    return True
