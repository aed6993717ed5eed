//! The first words on the line, when they are not what the parent would say: the worker refuses and does not fall over.
#![cfg(not(loom))]

use farm_sys::{Doorbell, Line, FDS_PER_MESSAGE};
use farm_transport::endpoint::{Endpoint, Hello, FIXED_FDS};
use farm_transport::frame::tell;
use farm_transport::layout;
use proptest::prelude::*;

/// What a worker makes of these messages, after which the parent hangs up.
fn refused(messages: &[&[u8]]) -> String {
    let (line, theirs) = Line::pair().unwrap();
    for message in messages {
        line.send(message, &[]).unwrap();
    }
    drop(line);
    match Endpoint::open(Line::from_fd(theirs)) {
        Ok(_) => panic!("a worker joined without any descriptor"),
        Err(refused) => refused.to_string(),
    }
}

fn hello() -> Hello {
    Hello {
        layout: layout::VERSION,
        worker: 0,
        workers: 1,
        lanes: 1,
        pulse: false,
        tasks: 0,
        spin_ns: 0,
        cpus: 1,
        boot_len: 0,
        arena_len: 4096,
        requests_len: 4096,
        max_shared: 4096,
    }
}

fn said(hello: &Hello) -> String {
    refused(&[&serde_json::to_vec(hello).unwrap()])
}

#[test]
fn another_build_is_named_and_the_parent_is_told() {
    // Whatever else that build says in its hello.
    let theirs = layout::VERSION ^ 1;
    let (line, worker) = Line::pair().unwrap();
    line.send(format!("{{\"layout\":{theirs},\"of\":\"another kind\"}}").as_bytes(), &[]).unwrap();
    let Err(refused) = Endpoint::open(Line::from_fd(worker)) else { panic!("a worker of another build joined") };
    let text = refused.to_string();
    assert!(text.contains(&format!("(line {theirs:016x})")), "{text}");
    assert!(text.contains(&format!("(line {:016x})", layout::VERSION)), "{text}");
    let mut raw = [0; 1024];
    let (len, _) = line.receive(&mut raw).unwrap().unwrap();
    assert_eq!(raw[0], tell::REFUSED);
    assert_eq!(std::str::from_utf8(&raw[1..len]).unwrap(), text);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let wrong = [
        Hello { worker: 1, ..hello() },
        Hello { workers: 0, ..hello() },
        Hello { workers: layout::MAX_WORKERS + 1, ..hello() },
        Hello { lanes: layout::LANES + 1, ..hello() },
    ];
    for hello in wrong {
        let text = said(&hello);
        assert!(text.contains("out of range"), "{hello:?}: {text}");
    }
}

#[test]
fn a_parent_that_hangs_up_half_way_is_told_apart() {
    assert!(refused(&[]).contains("closed"));
    let (line, theirs) = Line::pair().unwrap();
    let hello = Hello { workers: 100, ..hello() };
    let bell = Doorbell::new().unwrap();
    line.send(&serde_json::to_vec(&hello).unwrap(), &vec![bell.fd(); FDS_PER_MESSAGE]).unwrap();
    drop(line);
    let Err(refused) = Endpoint::open(Line::from_fd(theirs)) else { panic!("a worker joined with some descriptors") };
    assert!(refused.to_string().contains("closed"), "the other descriptors are still to come: {refused}");
}

#[test]
fn descriptors_that_the_system_left_out_are_not_waited_for() {
    let text = said(&Hello { workers: 100, ..hello() });
    assert!(text.contains("the 106 descriptors"), "{text}");
}

#[test]
fn a_hello_for_which_there_is_no_room_goes_on_where_it_stopped() {
    let (line, theirs) = Line::pair().unwrap();
    let theirs = Line::from_fd(theirs);
    let bells: Vec<_> = (0..FIXED_FDS + 200).map(|_| Doorbell::new().unwrap()).collect();
    let fds: Vec<_> = bells.iter().map(Doorbell::fd).collect();
    let hello = Hello { workers: 200, ..hello() };
    let mut sent = 0;
    while line.send_some(b"{}", &[]).unwrap().is_some() {}
    assert!(!hello.send(&line, &fds, &mut sent).unwrap());
    assert_eq!(sent, 0);
    let mut came = Vec::new();
    let mut raw = [0; 4096];
    while !hello.send(&line, &fds, &mut sent).unwrap() {
        came.extend(theirs.receive(&mut raw).unwrap().unwrap().1);
    }
    assert_eq!(sent, fds.len());
    while line.send_some(b"last", &[]).unwrap().is_none() {
        came.extend(theirs.receive(&mut raw).unwrap().unwrap().1);
    }
    loop {
        let (len, more) = theirs.receive(&mut raw).unwrap().unwrap();
        came.extend(more);
        if &raw[..len] == b"last" {
            break;
        }
    }
    assert_eq!(came.len(), fds.len());
    // Each once, in their order.
    for (number, fd) in came.into_iter().enumerate() {
        Doorbell::from_fd(fd).ring();
        assert!(bells[number].fd().read(&mut [0; 8]).unwrap().is_some(), "{number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_is_refused(message in proptest::collection::vec(any::<u8>(), 1..6000)) {
        refused(&[&message]);
    }

    /// A real hello with one byte changed or cut short somewhere.
    #[test]
    fn a_damaged_hello_is_refused(at in 0usize..200, byte: u8, cut: bool) {
        let mut message = serde_json::to_vec(&hello()).unwrap();
        let at = at % message.len();
        message[at] = byte;
        if cut {
            message.truncate(at.max(1));
        }
        refused(&[&message]);
    }
}
