import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.ApiAuthApi;
import org.openapitools.client.api.CallManagingOrganisationsApi;
import org.openapitools.client.api.CustomersApi;
import org.openapitools.client.api.RolesApi;
import org.openapitools.client.api.UsersApi;
import org.openapitools.client.model.CallManagingOrganisationOEnum;
import org.openapitools.client.model.CallManagingOrganisationRequest;
import org.openapitools.client.model.ObtainAuthTokenRequest;
import org.openapitools.client.model.PatchedCallManagingOrganisationRequest;
import org.openapitools.client.model.UserRoleCreateRequest;
import org.openapitools.client.model.UserRoleDeleteRequest;

/** The steps with openapi-generator's Java client on java.net.http (library native). */
public class Steps {
  static final String url = System.getenv("BASE_URL");

  static void check(boolean holds, Object got) {
    if (!holds) {
      throw new AssertionError(got);
    }
  }

  /** The one that was looked up. */
  static <T> T only(List<T> found) {
    check(found.size() == 1, found);
    return found.get(0);
  }

  public static void main(String[] arguments) throws Exception {
    var client = new ApiClient();
    client.updateBaseUri(url);
    var credentials = new ObtainAuthTokenRequest().username(System.getenv("USERNAME")).password(System.getenv("PASSWORD"));
    var authorization = "Token " + new ApiAuthApi(client).apiAuthPassword(credentials).getToken();
    client.setRequestInterceptor(request -> request.header("Authorization", authorization));
    var customer = only(new CustomersApi(client).customersList(
        null, null, System.getenv("CUSTOMER"), null, null, null, null, null, null, null, null, null)).getUrl();
    var user = only(new UsersApi(client).usersList(
        null, null, System.getenv("MEMBER"), null, null, null, null, null, null, null, null, null, null, null)).getUuid();
    var role = only(new RolesApi(client).rolesList(System.getenv("ROLE"), null, null, null, null, null)).getUuid().toString();
    var api = new CallManagingOrganisationsApi(client);

    var order = List.of(CallManagingOrganisationOEnum.fromValue("-customer_name"));
    var list = api.callManagingOrganisationsList(null, null, null, order, 1, 2);
    check(list.size() == 2 && list.get(0).getCustomerName().compareTo(list.get(1).getCustomerName()) > 0, list);

    var body = new CallManagingOrganisationRequest().customer(customer).description("created");
    var created = api.callManagingOrganisationsCreate(body);
    check(created.getDescription().equals("created"), created);
    var id = created.getUuid();
    check(api.callManagingOrganisationsRetrieve(id).equals(created), created);

    var changed = api.callManagingOrganisationsPartialUpdate(id,
        new PatchedCallManagingOrganisationRequest().description("changed"));
    check(changed.getDescription().equals("changed"), changed);
    upload(id, authorization);
    var cleared = api.callManagingOrganisationsPartialUpdate(id, new PatchedCallManagingOrganisationRequest().image(null));
    check(cleared.getImage() == null && cleared.getDescription().equals("changed"), cleared);

    api.callManagingOrganisationsAddUser(id, new UserRoleCreateRequest().role(role).user(user));
    var members = api.callManagingOrganisationsListUsersList(
        id, null, null, null, null, null, null, null, null, null, null, null, null);
    check(members.size() == 1 && members.get(0).getUserUuid().equals(user), members);
    api.callManagingOrganisationsDeleteUser(id, new UserRoleDeleteRequest().role(role).user(user));

    api.callManagingOrganisationsDestroy(id);
  }

  /** Sends an image without the generated client, which knows JSON bodies alone. */
  static void upload(UUID id, String authorization) throws Exception {
    var head = "--limit\r\nContent-Disposition: form-data; name=\"image\"; filename=\"logo.png\"\r\n\r\n";
    var request = HttpRequest.newBuilder(URI.create(url + "/api/call-managing-organisations/" + id + "/"))
        .header("Authorization", authorization)
        .header("Content-Type", "multipart/form-data; boundary=limit")
        .method("PATCH", HttpRequest.BodyPublishers.concat(
            HttpRequest.BodyPublishers.ofString(head),
            HttpRequest.BodyPublishers.ofByteArray(Files.readAllBytes(Path.of(System.getenv("IMAGE")))),
            HttpRequest.BodyPublishers.ofString("\r\n--limit--\r\n")))
        .build();
    var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    check(answer.statusCode() == 200, answer.body());
  }
}
