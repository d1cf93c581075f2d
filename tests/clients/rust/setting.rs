// What the Rust clients have in common.

use std::env::var;

pub fn url() -> String {
    var("BASE_URL").unwrap()
}

pub fn username() -> String {
    var("USERNAME").unwrap()
}

pub fn password() -> String {
    var("PASSWORD").unwrap()
}

pub fn customer_name() -> String {
    var("CUSTOMER").unwrap()
}

pub fn member_name() -> String {
    var("MEMBER").unwrap()
}

pub fn role_name() -> String {
    var("ROLE").unwrap()
}

/// The one that was looked up.
pub fn only<T: std::fmt::Debug>(mut found: Vec<T>) -> T {
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Sends an image without the generated client, which knows JSON bodies alone.
pub async fn upload(uuid: &str, authorization: &str) {
    let image = std::fs::read(var("IMAGE").unwrap()).unwrap();
    let part = reqwest::multipart::Part::bytes(image).file_name("logo.png");
    let answer = reqwest::Client::new()
        .patch(format!("{}/api/call-managing-organisations/{uuid}/", url()))
        .header("Authorization", authorization)
        .multipart(reqwest::multipart::Form::new().part("image", part))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
}
