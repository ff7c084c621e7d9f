//! What a person reads before a deploy: the runbook, a later deploy's page, the terminal.

mod support;

use serde_json::Value;

use support::{Ran, Repo};

const SCHEMA: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a text);\n";
const RENAME: &str = "ALTER TABLE t RENAME COLUMN a TO aa";
const FOLDER: &str = "rollouts/2026-11-21-rename-t-a";
const SERVER: &str = "--server=postgres@15";

fn done(repo: &Repo, args: &[&str]) -> Ran {
    let ran = repo.miggen(args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    ran
}

fn released(more: &[&str]) -> Repo {
    let repo = Repo::raw(SCHEMA);
    done(&repo, &[&["--target=raw", SERVER, RENAME], more].concat());
    let toml = format!("{FOLDER}/rollout.toml");
    let text = repo.read(&toml).replacen("number = 1\n", "number = 1\nreleased = 2026-11-21\n", 1);
    repo.write(&toml, &text);
    repo
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn a_later_deploy_has_a_page_with_all_its_commands() {
    let repo = released(&[]);
    repo.write(&format!("{FOLDER}/RUNBOOK.md"), "our own notes\n");
    let before = repo.files();
    let dry = done(&repo, &["next", "--dry-run", "--format=json"]);
    assert_eq!(repo.files(), before, "something was written");
    let dry: Value = serde_json::from_str(&dry.stdout).unwrap();
    let page = format!("{FOLDER}/DEPLOY-2.md");
    assert!(dry["files"].as_array().unwrap().iter().any(|file| file["path"] == page.as_str()));

    let told = done(&repo, &["next", "--format=json"]);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert!(texts(&told["written"]).contains(&page.as_str()));
    assert_eq!(repo.read(&format!("{FOLDER}/RUNBOOK.md")), "our own notes\n");
    let text = repo.read(&page);
    for step in told["deploys"][1]["steps"].as_array().unwrap() {
        for command in texts(&step["up"]).into_iter().chain(texts(&step["down"])) {
            assert!(text.contains(&format!("\n{command}")), "{command}\n{text}");
        }
    }
    for part in ["**May run:**", "**Before**", "psql -X -f $V/0", "**Watch**", "**Way back.**"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn the_runbook_says_where_commands_of_later_deploys_are() {
    let runbook = |more: &[&str]| released(more).read(&format!("{FOLDER}/RUNBOOK.md"));
    let text = runbook(&[]);
    assert!(text.contains("`DEPLOY-2.md` beside this\nfile"), "{text}");
    assert!(text.contains("- [ ] deploy 2: `miggen next`, then as `DEPLOY-2.md` says"), "{text}");
    // All at once, it holds them itself.
    let text = runbook(&["--all"]);
    assert!(!text.contains("DEPLOY-2.md") && !text.contains("miggen next"), "{text}");
    assert!(text.contains("- [ ] deploy 2: pre-checks · no old code left · "), "{text}");
}

#[test]
fn a_deploy_without_files_is_a_release() {
    let repo = Repo::raw(SCHEMA);
    let ran = done(&repo, &["--target=raw", SERVER, "ALTER TABLE t DROP COLUMN a"]);
    let release = "deploy 1, no file: release code that no longer names what deploy 2 takes away\n";
    assert!(ran.stderr.contains(release), "{}", ran.stderr);
    let next = "next: that release, then its day in rollout.toml: RUNBOOK.md, \"Deploy 1\"\n";
    assert!(ran.stderr.ends_with(next), "{}", ran.stderr);
    let text = repo.read("rollouts/2026-11-21-drop-t-a/RUNBOOK.md");
    assert!(text.contains("**May run:** old code, and new code beside it"), "{text}");
    assert!(text.contains("- [ ] deploy 1: no file · new code out · `released`"), "{text}");
    let state = repo.read("rollouts/2026-11-21-drop-t-a/rollout.toml");
    assert!(state.contains("may_run = \"old code, and new code beside it\""), "{state}");
}

/// A Django app below the root, whose one model has the table `shop_t`.
fn django(schema: &str) -> Repo {
    let repo = Repo::new();
    repo.write("schema.sql", schema);
    repo.write("web/manage.py", "os.environ['DJANGO_SETTINGS_MODULE']");
    repo.write("web/shop/migrations/__init__.py", "");
    repo.write(
        "web/shop/migrations/0001_initial.py",
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n    \
         dependencies = []\n    operations = [migrations.CreateModel(name=\"T\", fields=[\
         (\"id\", models.BigAutoField(primary_key=True)), (\"a\", models.TextField(null=True))])]\n",
    );
    repo
}

#[test]
fn what_only_the_models_forget_is_not_said_to_be_verified() {
    let repo = django("CREATE TABLE shop_t (id bigint PRIMARY KEY, a text);\n");
    let ran = done(&repo, &[SERVER, "ALTER TABLE shop_t DROP COLUMN a"]);
    let next = "next: (cd web && python manage.py migrate shop 0002), then the release: RUNBOOK.md";
    assert!(ran.stderr.contains(next), "{}", ran.stderr);
    let text = repo.read("rollouts/2026-11-21-drop-shop-t-a/RUNBOOK.md");
    assert!(text.contains("- [ ] deploy 1: the step · new code out"), "{text}");
    assert!(text.contains("**May run:** old code, and new code beside it"), "{text}");
}

#[test]
fn only_lines_that_are_in_a_models_class_are_taken_out_of_it() {
    let application = |change: &str| {
        let repo = django(
            "CREATE TABLE shop_t (id bigint PRIMARY KEY, a text);\n\
             CREATE TABLE shop_t_tags (id bigint PRIMARY KEY, a text);\n",
        );
        done(&repo, &[SERVER, change]);
        let file = repo.files().into_iter().find(|file| file.ends_with("RUNBOOK.md")).unwrap();
        let text = repo.read(&file);
        let part = text.split("## Application changes\n\n").nth(1).unwrap();
        part.split("\n## Deploy 1").next().unwrap().trim_end().to_owned()
    };
    let changes = [
        "DROP TABLE shop_t",
        "ALTER TABLE shop_t RENAME TO shop_s",
        "ALTER TABLE shop_t_tags DROP COLUMN a",
    ];
    insta::assert_snapshot!(changes.map(application).join("\n---\n"));
}

#[test]
fn spring_is_told_to_start_without_flyways_lock() {
    let said = |page: &str, text: &str| {
        let repo = Repo::new();
        repo.write("schema.sql", SCHEMA);
        repo.write("db/V1__init.sql", "");
        repo.write(page, text);
        done(&repo, &["--target=flyway", SERVER, "CREATE INDEX i ON t (a)"]).stderr
    };
    let option = "spring.flyway.postgresql.transactional-lock=false";
    let plain = said("pom.xml", "<artifactId>spring-boot-starter</artifactId>");
    assert!(plain.contains(&format!("release it first with `{option}`")), "{plain}");
    assert!(plain.contains("FLYWAY_URL, FLYWAY_USER and FLYWAY_PASSWORD"), "{plain}");
    assert!(!said("application.properties", option).contains(option));
    let own = said("flyway.toml", "[flyway]\nlocations = [\"filesystem:db\"]\nurl = \"jdbc:x\"\n");
    assert!(!own.contains("Spring") && !own.contains("FLYWAY_URL"), "{own}");
}

#[test]
fn tables_of_other_schemas_are_named_in_full() {
    let repo = Repo::raw(
        "CREATE SCHEMA billing;\nCREATE TABLE billing.invoice (id bigint PRIMARY KEY, a text);\n",
    );
    let change = "ALTER TABLE billing.invoice ALTER COLUMN a SET NOT NULL";
    let rows = "--rows=billing.invoice=2M";
    let said = done(&repo, &["--target=raw", SERVER, rows, change]).stderr;
    assert!(said.contains("plan      require billing.invoice.a\n"), "{said}");
    assert!(said.contains("billing.invoice 2 M rows"), "{said}");
    assert!(said.contains("locks   `billing.invoice`: ACCESS EXCLUSIVE"), "{said}");
    let text = repo.read("rollouts/2026-11-21-require-invoice-a/RUNBOOK.md");
    for part in [
        "billing.invoice.a never NULL, for new rows; billing.invoice.a not null",
        "ACCESS EXCLUSIVE on billing.invoice |",
        "- billing.invoice.a is never NULL",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
