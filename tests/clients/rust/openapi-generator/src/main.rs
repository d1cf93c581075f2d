//! The steps with openapi-generator's Rust client.

use calls::apis::call_managing_organisations_api as api;
use calls::apis::{api_auth_api, customers_api, roles_api, users_api};
use calls::apis::configuration::{ApiKey, Configuration};
use calls::models;

#[path = "../../setting.rs"]
mod setting;
use setting::*;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut c = Configuration { base_path: url(), ..Configuration::default() };
    let credentials = models::ObtainAuthTokenRequest::new(username(), password());
    let authorization = format!("Token {}", api_auth_api::api_auth_password(&c, credentials).await.unwrap().token);
    c.api_key = Some(ApiKey { prefix: None, key: authorization.clone() });

    let name = Some(customer_name());
    let customers = customers_api::customers_list(
        &c, None, None, name.as_deref(), None, None, None, None, None, None, None, None, None,
    );
    let customer = only(customers.await.unwrap()).url.unwrap();
    let name = Some(member_name());
    let users = users_api::users_list(
        &c, None, None, name.as_deref(), None, None, None, None, None, None, None, None, None, None, None,
    );
    let user = only(users.await.unwrap()).uuid.unwrap();
    let name = Some(role_name());
    let roles = roles_api::roles_list(&c, name.as_deref(), None, None, None, None, None);
    let role = only(roles.await.unwrap()).uuid.unwrap().to_string();

    let order = vec![models::CallManagingOrganisationOEnum::CustomerName2];
    let list = api::call_managing_organisations_list(&c, None, None, None, Some(order), Some(1), Some(2)).await.unwrap();
    assert!(list.len() == 2 && list[0].customer_name > list[1].customer_name, "{list:?}");

    let mut body = models::CallManagingOrganisationRequest::new(customer);
    body.description = Some("created".into());
    let created = api::call_managing_organisations_create(&c, body).await.unwrap();
    assert_eq!(created.description, "created");
    let id = created.uuid.to_string();
    assert_eq!(api::call_managing_organisations_retrieve(&c, &id).await.unwrap(), created);

    let mut text = models::PatchedCallManagingOrganisationRequest::new();
    text.description = Some("changed".into());
    let changed = api::call_managing_organisations_partial_update(&c, &id, Some(text)).await.unwrap();
    assert_eq!(changed.description, "changed");
    upload(&id, &authorization).await;
    let mut null = models::PatchedCallManagingOrganisationRequest::new();
    null.image = Some(None);
    let cleared = api::call_managing_organisations_partial_update(&c, &id, Some(null)).await.unwrap();
    assert!(cleared.image.is_none() && cleared.description == "changed", "{cleared:?}");

    let grant = models::UserRoleCreateRequest::new(role.clone(), user);
    api::call_managing_organisations_add_user(&c, &id, grant).await.unwrap();
    let members = api::call_managing_organisations_list_users_list(
        &c, &id, None, None, None, None, None, None, None, None, None, None, None, None,
    )
    .await
    .unwrap();
    assert!(members.len() == 1 && members[0].user_uuid == Some(user), "{members:?}");
    let revoke = models::UserRoleDeleteRequest::new(role.clone(), user);
    api::call_managing_organisations_delete_user(&c, &id, revoke).await.unwrap();

    api::call_managing_organisations_destroy(&c, &id).await.unwrap();
}
