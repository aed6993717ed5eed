//! The guard of this process: a small process beside it that ends what the workers have started when this one is gone. One
//! for all farms. This file starts it and holds what both look at: the table of process groups.

use crate::once::Once;
use farm_sys::guarding::{own_end, GroupTable, GROUPS, LIFELINE, PARENT};
use farm_sys::{lifeline, Child, Fd, Program, Restrictions, Result, SpawnPlan, Stdio};

/// The groups that end with this process.
pub fn groups() -> Result<&'static GroupTable> {
    TABLE.get_or_make(GroupTable::create)
}

/// Some may be listed.
pub fn has_groups() -> bool {
    TABLE.get().is_some()
}

static TABLE: Once<GroupTable> = Once::new();

/// A guard that runs, and the writing end that tells it of our end.
pub struct Started {
    pub child: Child,
    _lifeline: Fd,
}

/// Called by the spawner.
pub fn start(program: &str) -> Result<Started> {
    let (theirs, ours) = lifeline()?;
    let mut pass = vec![(theirs, LIFELINE), (groups()?.fd().duplicate()?, GROUPS)];
    pass.extend(own_end().map(|end| (end, PARENT)));
    let plan = SpawnPlan {
        program: Program {
            path: program.into(),
            shown_as: Some(format!("farm-guard: {}", std::process::id()).into()),
            args: Vec::new(),
            env: Vec::new(),
            cwd: Some("/".into()),
        },
        stdio: [Stdio::Null, Stdio::Null, Stdio::Null],
        pass,
        session: true,
        tree: false,
        restrictions: Restrictions::default(),
    };
    Ok(Started { child: farm_sys::spawn(&plan, 0)?, _lifeline: ours })
}
