//! The steps with progenitor's client.

progenitor::generate_api!("../gen/json-bodies.json");

#[path = "../../setting.rs"]
mod setting;
use setting::*;

use std::num::NonZeroU64;
use types::*;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let credentials = ObtainAuthTokenRequest {
        username: username().parse().unwrap(),
        password: password().parse().unwrap(),
    };
    let signed_in = Client::new(&url()).api_auth_password(&credentials).await.unwrap();
    let authorization = format!("Token {}", signed_in.token);
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("Authorization", authorization.parse().unwrap());
    let http = reqwest::Client::builder().default_headers(headers).build().unwrap();
    let c = Client::new_with_client(&url(), http.clone());

    let name = customer_name().parse().unwrap();
    let customers = c.customers_list(
        None, None, None, Some(&name), None, None, None, None, None, None, None, None,
    );
    let customer = only(customers.await.unwrap().into_inner()).url.unwrap();
    let name = member_name().parse().unwrap();
    let users = c.users_list(
        None, None, None, None, None, None, None, None, None, None, None, None, None, Some(&name),
    );
    let user = only(users.await.unwrap().into_inner()).uuid.unwrap();
    let name = role_name().parse().unwrap();
    let roles = c.roles_list(None, None, None, Some(&name), None, None);
    let role = only(roles.await.unwrap().into_inner()).uuid.unwrap().to_string();

    let order = vec!["-customer_name".parse::<CallManagingOrganisationOEnum>().unwrap()];
    let (page, size) = (NonZeroU64::new(1), NonZeroU64::new(2));
    let list = c.call_managing_organisations_list(None, None, None, Some(&order), page, size).await.unwrap();
    assert!(list.len() == 2 && list[0].customer_name > list[1].customer_name, "{list:?}");

    let body = CallManagingOrganisationRequest {
        customer: customer.parse().unwrap(),
        description: Some("created".parse().unwrap()),
        image: None,
    };
    let created = c.call_managing_organisations_create(&body).await.unwrap();
    assert_eq!(created.description.as_str(), "created");
    let id = created.uuid;
    let got = c.call_managing_organisations_retrieve(&id).await.unwrap();
    assert!(got.url == created.url && got.image.is_none(), "{got:?}");

    let text = PatchedCallManagingOrganisationRequest { description: Some("changed".parse().unwrap()), image: None };
    let changed = c.call_managing_organisations_partial_update(&id, &text).await.unwrap();
    assert_eq!(changed.description.as_str(), "changed");
    upload(&id.to_string(), &authorization).await;
    // The types have no null, which takes the image away: what is None is left out.
    let cleared = http
        .patch(format!("{}/api/call-managing-organisations/{id}/", url()))
        .json(&serde_json::json!({"image": null}))
        .send()
        .await
        .unwrap();
    let cleared: CallManagingOrganisation = cleared.json().await.unwrap();
    assert!(cleared.image.is_none() && cleared.description.as_str() == "changed", "{cleared:?}");

    let grant = UserRoleCreateRequest { role: role.parse().unwrap(), user, expiration_time: None };
    c.call_managing_organisations_add_user(&id, &grant).await.unwrap();
    let members = c
        .call_managing_organisations_list_users_list(
            &id, None, None, None, None, None, None, None, None, None, None, None, None,
        )
        .await
        .unwrap();
    assert!(members.len() == 1 && members[0].user_uuid == Some(user), "{members:?}");
    let revoke = UserRoleDeleteRequest { role: role.parse().unwrap(), user, expiration_time: None };
    c.call_managing_organisations_delete_user(&id, &revoke).await.unwrap();

    c.call_managing_organisations_destroy(&id).await.unwrap();
}
