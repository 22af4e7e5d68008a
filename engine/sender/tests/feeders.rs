//! Rows of tables, dealt over workers and their threads: at random, each once, or each worker its own.

#![allow(clippy::needless_pass_by_value)] // JSON in place reads better than references to it

mod plans;
mod shop;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use golive_sender::Engine;
use plans::{flow_at, step};
use serde_json::{json, Value};
use shop::{Asked, Shop};
use steps::{finish, walked, walked_by, Steps, UNIX_US};

fn guests(shop: &Shop, order: &str, rows: u64, rps: f64) -> Value {
    let row = |number: u64| json!([format!("guest{number}"), format!("room{number}")]);
    let request = |name: &str, path: &str, column: &str| {
        step(name, "GET", json!([path, {"csv": ["guests", "name"]}, "/", {"csv": ["guests", column]}]), json!({}))
    };
    let mut plan = flow_at(&shop.url, rps, 1000, &[request("a", "/a/", "room"), request("b", "/b/", "room")]);
    plan["requests"].as_array_mut().expect("requests").push(plans::request("home", "GET", &json!(["/"])));
    plan["tables"] = json!([{"name": "guests", "columns": ["name", "room"], "rows": (0..rows).map(row).collect::<Vec<_>>(), "order": order}]);
    plan
}

fn rows_of(shop: &Shop, path: &str) -> Vec<u64> {
    let row = |asked: &Asked| {
        let (name, room) = asked.path[path.len()..].split_once('/').expect("two columns").to_owned();
        assert_eq!(name.strip_prefix("guest"), room.strip_prefix("room"), "columns belong together");
        name.strip_prefix("guest").and_then(|number| number.parse().ok()).expect("a number")
    };
    shop.asked_of(path).iter().map(row).collect()
}

#[test]
fn a_shared_table_gives_each_row_once_over_all_workers() {
    let shop = shop::open(|_| shop::json(200, "{}"));
    // Half of 400 requests are steps of flows: 100 journeys, as many as there are rows.
    let plan = guests(&shop, "shared", 150, 400.0);
    let steps = walked_by(&plans::with(plan, "threads", json!(2)), 2);
    let (first, second) = (rows_of(&shop, "/a/"), rows_of(&shop, "/b/"));
    assert_eq!(first.len() as u64, steps.of("a").ok);
    let distinct: BTreeSet<u64> = first.iter().copied().collect();
    assert_eq!(distinct.len(), first.len(), "no row twice");
    assert_eq!(distinct, (0..first.len() as u64).collect(), "and none left out");
    assert_eq!(second.iter().copied().collect::<BTreeSet<_>>(), distinct, "a journey stays with its row");
}

/// The rows that the workers of a run take from a partitioned table of so many.
fn parted(rows: u64, threads: u64, workers: u64) -> Vec<Vec<u64>> {
    let of = |shard: u64| {
        let shop = shop::open(|_| shop::json(200, "{}"));
        let plan = plans::with(guests(&shop, "partitioned", rows, 400.0), "threads", json!(threads));
        let engine = Engine::new(&plan.to_string(), shard, workers).expect("a plan");
        engine.prepare().expect("a target");
        engine.start(0, UNIX_US, 60_000_000).expect("a start");
        finish(&engine, &mut Steps::default());
        rows_of(&shop, "/a/")
    };
    thread::scope(|scope| {
        let runs: Vec<_> = (0..workers).map(|shard| scope.spawn(move || of(shard))).collect();
        runs.into_iter().map(|run| run.join().expect("a run")).collect()
    })
}

#[test]
fn a_worker_takes_the_rows_of_its_own_in_turn() {
    for rows in parted(60, 1, 3) {
        let mut often: BTreeMap<u64, u64> = BTreeMap::new();
        for row in rows {
            *often.entry(row).or_default() += 1;
        }
        let (least, most) = (often.values().min(), often.values().max());
        assert!(often.len() == 20 && most.expect("rows") - least.expect("rows") <= 1, "{often:?}");
    }
    // As many journeys as there are rows, over both threads of both workers: no row comes twice before all have come.
    let taken: Vec<u64> = parted(200, 2, 2).concat();
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len());
}

#[test]
fn a_partitioned_table_gives_each_worker_its_own_rows() {
    let all = parted(7, 1, 3);
    let of = |worker: usize| all[worker].iter().copied().collect::<BTreeSet<_>>();
    assert_eq!((of(0), of(1), of(2)), (BTreeSet::from([0, 3, 6]), BTreeSet::from([1, 4]), BTreeSet::from([2, 5])));
    let shop = shop::open(|_| shop::json(200, "{}"));
    let refused = Engine::new(&guests(&shop, "partitioned", 2, 1.0).to_string(), 0, 3).expect_err("too few rows");
    assert!(refused.to_string().contains("parted among 3 workers, but has 2 rows"), "{refused}");
}

#[test]
fn a_cell_that_may_not_stand_where_it_is_written_is_told_by_its_row() {
    let problem = |path: Value, header: Value, cell: &str| {
        let request = step("a", "GET", path, json!({"headers": [["X-V", header]]}));
        let mut plan = flow_at("http://127.0.0.1:1", 1.0, 1000, &[request]);
        plan["tables"] = json!([{"name": "t.csv", "columns": ["id"], "rows": [["1"], [cell]]}]);
        Engine::new(&plan.to_string(), 0, 1).err().map(|wrong| wrong.to_string()).unwrap_or_default()
    };
    let (id, fixed) = (json!({"csv": ["t.csv", "id"]}), json!(["v"]));
    let in_path = |cell| problem(json!(["/users/", id]), fixed.clone(), cell);
    assert!(in_path("").contains(r#"table "t.csv", row 2: "id" would lead a path elsewhere"#), "{}", in_path(""));
    assert!(in_path("..").contains("row 2") && in_path("a\nb").contains("row 2: \"id\" has a control character"));
    assert_eq!((in_path("...").as_str(), problem(json!(["/users?id=", id]), fixed.clone(), "").as_str()), ("", ""));
    assert!(problem(json!(["/"]), json!([id]), "a\rb").contains("row 2"));
    assert_eq!(problem(json!(["/"]), json!([id]), ""), "");
}

#[test]
fn a_column_of_paths_is_asked_for_as_it_stands_behind_the_targets_own() {
    let shop = shop::open(|_| shop::json(200, "{}"));
    let request = step("a", "GET", json!([{"csv_path": ["urls.csv", "url"]}]), json!({}));
    let mut plan = flow_at(&format!("{}/base", shop.url), 40.0, 250, &[request]);
    let rows = ["/products/1?x=a%20b&y=2", "/söhne/a b#c", "/"].map(|url| [url]);
    plan["tables"] = json!([{"name": "urls.csv", "columns": ["url"], "rows": rows, "order": "shared"}]);
    assert_eq!(walked(&plan).of("a").ok, 10);
    let asked: Vec<String> = shop.asked_of("/base").into_iter().map(|asked| asked.path).collect();
    for (path, often) in [("/base/products/1?x=a%20b&y=2", 4), ("/base/s%C3%B6hne/a%20b", 3), ("/base/", 3)] {
        assert_eq!(asked.iter().filter(|asked| *asked == path).count(), often, "{asked:?}");
    }
    plan["tables"][0]["rows"][1][0] = json!("products/1");
    let refused = Engine::new(&plan.to_string(), 0, 1).expect_err("no path").to_string();
    assert!(refused.contains("row 2: \"url\" is no path from the root"), "{refused}");
    plan["requests"][0]["path"] = json!(["/a", {"csv_path": ["urls.csv", "url"]}]);
    let refused = Engine::new(&plan.to_string(), 0, 1).expect_err("not whole").to_string();
    assert!(refused.contains("is not the whole of a path"), "{refused}");
}
