//! What to run for one worker, as a plan for the spawner.

use super::output::Stream;
use crate::settings::{Output, Settings};
use farm_sys::{pipe, Fd, Program, SpawnPlan, Stdio};
use std::ffi::OsString;
use std::sync::Arc;

/// The number under which a child finds its line.
const LINE_FD: i32 = 3;

/// The plan, and the reading ends of what the child writes.
pub fn spawn_plan(
    settings: &Settings,
    line: Fd,
    stream: impl Fn(u8, Fd, Output) -> Arc<Stream>,
) -> farm_sys::Result<(SpawnPlan, Vec<Arc<Stream>>)> {
    let mut streams = Vec::new();
    let mut open = |number: u8, output: Output| -> farm_sys::Result<Stdio> {
        Ok(match output {
            Output::Ignore => Stdio::Null,
            // stdout goes straight through; stderr is read on the way, since its last lines belong to the exit record.
            Output::Inherit if number == 1 => Stdio::Inherit,
            _ => {
                let (read, write) = pipe()?;
                streams.push(stream(number, read, output));
                Stdio::Fd(write)
            }
        })
    };
    let stdio = [Stdio::Null, open(1, settings.stdout)?, open(2, settings.stderr)?];
    let os = |list: &[String]| list.iter().map(OsString::from).collect::<Vec<_>>();
    let mut env = os(&settings.program.env);
    if settings.fork.is_some() {
        env.push(format!("NODE_CHANNEL_FD={LINE_FD}").into());
        env.push("NODE_CHANNEL_SERIALIZATION_MODE=json".into());
    }
    let program = Program {
        path: OsString::from(&settings.program.path),
        shown_as: None,
        args: os(&settings.program.args),
        env,
        cwd: settings.program.cwd.as_ref().map(OsString::from),
    };
    let restrictions = settings.limits.restrictions(settings.max_shared);
    let (pass, tree) = (vec![(line, LINE_FD)], settings.guard.is_some());
    Ok((SpawnPlan { program, stdio, pass, session: false, tree, restrictions }, streams))
}
