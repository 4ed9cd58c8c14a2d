"""Names of people, accounts, partitions, nodes and jobs, as types of their own.

What may be shown of them is [privacy]'s to say: `privacy.renaming` finds them by these types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NewType

UserName = NewType("UserName", str)
AccountName = NewType("AccountName", str)
PartitionName = NewType("PartitionName", str)
NodeName = NewType("NodeName", str)
JobName = NewType("JobName", str)

KINDS = (UserName, AccountName, PartitionName, NodeName, JobName)

Place = tuple[PartitionName, AccountName]
"""A partition and an account, in which jobs run."""
Places = Mapping[str, frozenset[Place]]
"""Where jobs of a QoS hold each resource; a resource that none of them holds is left out."""
