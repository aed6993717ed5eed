//! News about workers, as JSON for the JavaScript side; bytes that come with them travel beside it.

use farm_engine::FarmEvent;
use serde_json::{json, Value};

/// Bytes in them that workers wrote.
pub fn written(news: &[FarmEvent]) -> usize {
    let bytes = |event: &FarmEvent| if let FarmEvent::Output { bytes, .. } = event { bytes.len() } else { 0 };
    news.iter().map(bytes).sum()
}

/// The event as JSON, and its bytes.
pub fn describe(event: FarmEvent) -> (Value, Option<Vec<u8>>) {
    match event {
        FarmEvent::Spawned { worker, pid } => (json!({ "type": "spawn", "workerId": worker + 1, "pid": pid }), None),
        FarmEvent::Online { worker } => (json!({ "type": "online", "workerId": worker + 1 }), None),
        FarmEvent::StartFailed { worker, reason, message, error, record, alone, turned_away } => (
            json!({
                "type": "startFailed", "workerId": worker + 1, "reason": reason, "message": message, "record": record,
                "alone": alone, "turnedAway": turned_away.map(|ns| ns.div_ceil(1_000_000)),
            }),
            error,
        ),
        FarmEvent::WorkerError { worker, error } => {
            (json!({ "type": "workerError", "workerId": worker + 1 }), Some(error))
        }
        FarmEvent::Exited { record, planned, .. } => {
            (json!({ "type": "exit", "record": record, "planned": planned }), None)
        }
        FarmEvent::Output { worker, stream, bytes } => {
            (json!({ "type": "output", "workerId": worker + 1, "stream": stream }), Some(bytes))
        }
        FarmEvent::Unguarded { message } => (json!({ "type": "unguarded", "message": message }), None),
        FarmEvent::Reloaded { done, count } => (json!({ "type": "reloaded", "done": done, "count": count }), None),
        FarmEvent::Failed { message } => (json!({ "type": "failed", "message": message }), None),
        FarmEvent::Closed => (json!({ "type": "closed" }), None),
        FarmEvent::Joined { .. } | FarmEvent::TimedOut { .. } | FarmEvent::Fewer | FarmEvent::Poisoned => {
            (Value::Null, None)
        }
        FarmEvent::Quiet | FarmEvent::Cooled(_) => (Value::Null, None),
    }
}
