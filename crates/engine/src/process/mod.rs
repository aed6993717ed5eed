//! ONE CHILD: from the settings of its farm to the record of its end.

mod command;
mod flow;
mod limits;
mod output;
mod record;
mod usage;
mod verdict;

pub use command::spawn_plan;
pub use flow::Flow;
pub use limits::{Breach, Meter, Ruling};
pub use output::{Pump, Stream};
pub use record::ExitRecord;
pub use usage::{MostMemory, OomKills};
pub use verdict::verdict;
