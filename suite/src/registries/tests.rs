//! Tests of pushes: to the embedded registry, and to registries that misbehave.

use std::time::Duration;

use super::faulty::{self, counted};
use super::*;
use oci::epoch::Epoch;
use oci::{ImageSet, example};
use xtask::registry::{Credentials, EmbeddedRegistry, Patience, PushReport, Traffic, push};
use xtask::stop::Stop;

/// Nothing here waits for real: attempts follow each other at once.
fn quick() -> RegistryAccess {
    let patience = Patience {
        attempts: 3,
        pause_first: Duration::from_micros(10),
        pause_max: Duration::from_micros(20),
        ..Patience::DEFAULT
    };
    RegistryAccess { patience, ..RegistryAccess::ANONYMOUS }
}

/// As [`quick`], with the registry's own account.
fn with_account(registry: &EmbeddedRegistry) -> RegistryAccess {
    RegistryAccess { credentials: registry.credentials().clone(), ..quick() }
}

fn images() -> ImageSet {
    example::images(Epoch::ZERO).unwrap()
}

fn push_to(destination: &Destination, access: &RegistryAccess) -> anyhow::Result<PushReport> {
    push(&images(), destination, (access, &Stop::never().unwrap()), &mut |_| ())
}

#[test]
fn the_embedded_registry_passes_what_every_registry_must_pass() {
    let registry = EmbeddedRegistry::start().unwrap();
    let report = conformance::round_trip(&registry.destination("some/prefix"), &with_account(&registry)).unwrap();
    let expected = Traffic { uploaded_blobs: 16, uploaded_documents: 9, ..report.first };
    assert_eq!(report.first, expected);
    assert_eq!((report.first.skipped_blobs, report.first.skipped_documents), (0, 0));
}

#[test]
fn what_was_pushed_has_its_full_name_and_its_digest() {
    let registry = EmbeddedRegistry::start().unwrap();
    let report = push_to(&registry.destination("p"), &with_account(&registry)).unwrap();
    let names: Vec<_> = report.pushed.iter().map(xtask::registry::Pushed::reference).collect();
    let name = |tag: &str| format!("{}/p/example:{tag}", registry.address());
    assert_eq!(names[1], name("native-based"));
    assert_eq!(*names[names.len() - 1], name("latest"));
    assert_eq!(report.pushed[0].digest(), images().images()[0].manifest().digest());
}

#[test]
fn progress_ends_at_all_bytes_and_never_goes_back() {
    let registry = EmbeddedRegistry::start().unwrap();
    let mut seen = Vec::new();
    let access = (&with_account(&registry), &Stop::never().unwrap());
    push(&images(), &registry.destination(""), access, &mut |progress| seen.push(progress)).unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].done_bytes <= pair[1].done_bytes));
    let last = seen.last().unwrap();
    assert_eq!(last.done_bytes, last.total_bytes);
}

#[test]
fn a_registry_that_fails_twice_is_tried_a_third_time() {
    for status in [500, 503, 429] {
        let registry = counted::failing_first(2, status);
        let report = push_to(&registry.destination("x"), &quick()).unwrap();
        assert_eq!(report.traffic.uploaded_blobs, 16);
    }
}

#[test]
fn a_registry_that_always_fails_is_an_error_with_attempts_and_advice() {
    let registry = counted::failing_first(usize::MAX, 502);
    let error = format!("{:#}", push_to(&registry.destination("x"), &quick()).unwrap_err());
    let address = registry.address();
    for part in [&format!("registry `{address}/x`"), "image `example:", "in 3 attempts", "its own log", "502"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_refusal_is_not_tried_again() {
    let registry = counted::failing_first(usize::MAX, 401);
    let error = format!("{:#}", push_to(&registry.destination("x"), &quick()).unwrap_err());
    assert!(error.contains(&format!("docker login {}", registry.address())), "{error}");
    assert!(!error.contains("attempts"), "{error}");
}

#[test]
fn a_registry_that_dies_mid_push_is_an_error_wherever_it_is() {
    // A push of this set takes over 30 requests: six blobs of four each, and four documents.
    for last in (0..30).step_by(3) {
        let registry = counted::dying_after(last);
        let error = format!("{:#}", push_to(&registry.destination("x"), &quick()).unwrap_err());
        let address = registry.address();
        assert!(error.contains(&format!("is a registry at http://{address}/v2/?")), "{last}: {error}");
        assert!(error.contains("image `example:") && error.contains("in 3 attempts"), "{last}: {error}");
    }
}

#[test]
fn nobody_there_is_an_error() {
    let registry = EmbeddedRegistry::start().unwrap();
    let destination = registry.destination("x");
    drop(registry);
    let error = format!("{:#}", push_to(&destination, &quick()).unwrap_err());
    assert!(error.contains("Start it, or name another"), "{error}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a registry that never answers")]
fn a_registry_that_never_answers_is_given_up_at_the_limits() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let destination =
        Destination::parse(&format!("{}/x", listener.local_addr().unwrap()), PlainHttp::Loopback).unwrap();
    let mut access = quick();
    access.patience.silence = Duration::from_millis(5);
    let error = format!("{:#}", push_to(&destination, &access).unwrap_err());
    assert!(error.contains("in 3 attempts"), "{error}");
    access.patience.total = Duration::from_millis(200);
    access.patience.attempts = u32::MAX;
    let error = format!("{:#}", push_to(&destination, &access).unwrap_err());
    assert!(error.contains("not finished after 0.2 s") && error.contains("the last trouble"), "{error}");
}

#[test]
fn a_registry_with_an_account_passes_the_same_by_password_and_by_token() {
    let password = xtask::secret::Secret::new("hunter2");
    for registry in [faulty::with_password("me", &password).unwrap(), faulty::with_tokens("me", &password).unwrap()] {
        conformance::round_trip(&registry.destination("x"), &with_account(&registry)).unwrap();
        let error = format!("{:#}", push_to(&registry.destination("x"), &quick()).unwrap_err());
        assert!(error.contains("docker login") && !error.contains("hunter2"), "{error}");
        let wrong = xtask::secret::Secret::new("wrong-hunter");
        let credentials = Credentials::Password { user: "me".to_owned(), password: wrong };
        let error = push_to(&registry.destination("x"), &RegistryAccess { credentials, ..quick() }).unwrap_err();
        assert!(!format!("{error:#} {error:?}").contains("hunter"), "{error:?}");
    }
}

#[test]
fn a_document_without_end_is_given_up_after_a_few_megabytes() {
    let registry = faulty::endless_documents().unwrap();
    let error = format!("{:#}", push_to(&registry.destination("x"), &quick()).unwrap_err());
    assert!(error.contains("4194304 bytes") && error.contains("image `example:"), "{error}");
    assert!(!error.contains("attempts"), "{error}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a registry that never answers")]
fn a_push_to_a_silent_registry_obeys_the_wish_to_stop() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let destination =
        Destination::parse(&format!("{}/x", listener.local_addr().unwrap()), PlainHttp::Loopback).unwrap();
    let stop = Stop::never().unwrap();
    let wish = stop.another().unwrap();
    std::thread::spawn(move || {
        // The push has begun: somebody came.
        drop(listener.accept());
        wish.request().unwrap();
        std::thread::park();
    });
    let mut access = quick();
    access.patience.silence = Duration::from_mins(10);
    access.patience.total = Duration::from_mins(10);
    let error = push(&images(), &destination, (&access, &stop), &mut |_| ()).unwrap_err();
    assert!(format!("{error:#}").contains("interrupted"), "{error:#}");
}

/// What a client of this name gets.
fn answer(registry: &EmbeddedRegistry, agent: &str, reference: &str) -> Vec<u8> {
    let url = format!("http://{}/v2/x/example/manifests/{reference}", registry.address());
    xtask::registry::connection::ensure_cryptography();
    let client = reqwest::Client::builder().no_proxy().user_agent(agent).build().unwrap();
    let got = async { client.get(url).send().await.unwrap().bytes().await.unwrap().to_vec() };
    xtask::registry::embedded::runtime().unwrap().block_on(got)
}

#[test]
fn a_registry_that_misleads_containerd_tells_everybody_else_the_truth() {
    let native = images().images()[0].manifest().clone();
    for (fault, by_tag, by_digest) in [
        (faulty::ToContainerd::MovedTags, false, true),
        (faulty::ToContainerd::OtherImages, false, false),
        (faulty::ToContainerd::EndlessBlobs, true, true),
    ] {
        let registry = faulty::to_containerd(fault, None).unwrap();
        push_to(&registry.destination("x"), &quick()).unwrap();
        for (agent, by_tag, by_digest) in [("containerd/1.7", by_tag, by_digest), ("curl", true, true)] {
            for (reference, truth) in [("native", by_tag), (&native.digest().to_string(), by_digest)] {
                assert_eq!(
                    answer(&registry, agent, reference) == native.bytes(),
                    truth,
                    "{fault:?} {agent} {reference}"
                );
            }
        }
    }
}
