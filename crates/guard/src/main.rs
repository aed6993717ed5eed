//! THE GUARD: one small process beside each parent that has farms. It sleeps until the parent is gone, however that came
//! about, then kills the process groups of the workers that the parent has listed, and their cgroups if they have such, and ends. Started by the engine's
//! `supervisor::guard`, which hands over everything under fixed numbers; it must never do anything else.

#![forbid(unsafe_code)]

use farm_sys::guarding::{
    close_from, end_groups, kill_group, stay_apart, wait_for_any, GroupTable, FIRST_FREE, GROUPS, LIFELINE, PARENT,
};
use farm_sys::{Fd, Result};
use std::process::ExitCode;

fn main() -> ExitCode {
    match guard() {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads what it might say: the parent sees it end, and starts another.
        Err(_) => ExitCode::FAILURE,
    }
}

fn guard() -> Result<()> {
    stay_apart();
    let lifeline = Fd::inherited(LIFELINE)?;
    let groups = GroupTable::map(Fd::inherited(GROUPS)?)?;
    // The parent itself, where the system has descriptors of processes: a copy of the lifeline may live on in a child
    // that the parent forked without executing anything.
    let parent = Fd::inherited(PARENT).ok();
    close_from(FIRST_FREE);
    let ends: Vec<&Fd> = [Some(&lifeline), parent.as_ref()].into_iter().flatten().collect();
    wait_for_any(&ends)?;
    groups.each(kill_group);
    groups.cgroups().for_each(|start| end_groups(&start));
    Ok(())
}
