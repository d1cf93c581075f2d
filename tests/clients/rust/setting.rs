// What the Rust clients have in common.

use std::env::var;

pub fn url() -> String {
    var("BASE_URL").unwrap()
}

pub fn authorization() -> String {
    format!("Token {}", var("TOKEN").unwrap())
}

pub fn customer() -> String {
    var("CUSTOMER").unwrap()
}

pub fn user() -> String {
    var("USER_UUID").unwrap()
}

pub const ROLE: &str = "CUSTOMER.CALL_ORGANIZER";

/// Sends an image without the generated client, which knows JSON bodies alone.
pub async fn upload(uuid: &str) {
    let image = std::fs::read(var("IMAGE").unwrap()).unwrap();
    let part = reqwest::multipart::Part::bytes(image).file_name("logo.png");
    let answer = reqwest::Client::new()
        .patch(format!("{}/api/call-managing-organisations/{uuid}/", url()))
        .header("Authorization", authorization())
        .multipart(reqwest::multipart::Form::new().part("image", part))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
}
