// The steps with openapi-generator's typescript-fetch client.
import {
  ApiAuthApi, CallManagingOrganisationOEnum, CallManagingOrganisationsApi, Configuration, CustomersApi, RolesApi, UsersApi,
} from './gen/openapi-generator';
import { assert, credentials, customerName, memberName, only, roleName, upload, url } from './setting';

async function main() {
  const signIn = new ApiAuthApi(new Configuration({ basePath: url }));
  const authorization = `Token ${(await signIn.apiAuthPassword({ obtainAuthTokenRequest: credentials })).token}`;
  const configuration = new Configuration({ basePath: url, apiKey: authorization });
  const customer = only(await new CustomersApi(configuration).customersList({ nameExact: customerName })).url;
  const user = only(await new UsersApi(configuration).usersList({ username: memberName })).uuid;
  const grant = { role: only(await new RolesApi(configuration).rolesList({ name: roleName })).uuid, user };
  const api = new CallManagingOrganisationsApi(configuration);

  const list = await api.callManagingOrganisationsList({ o: [CallManagingOrganisationOEnum.CustomerName2], page: 1, pageSize: 2 });
  assert.ok(list.length === 2 && list[0].customerName > list[1].customerName, JSON.stringify(list));

  const created = await api.callManagingOrganisationsCreate({ callManagingOrganisationRequest: { customer, description: 'created' } });
  assert.equal(created.description, 'created');
  const { uuid } = created;
  assert.deepEqual(await api.callManagingOrganisationsRetrieve({ uuid }), created);

  const change = (patchedCallManagingOrganisationRequest: { description?: string; image?: null }) =>
    api.callManagingOrganisationsPartialUpdate({ uuid, patchedCallManagingOrganisationRequest });
  assert.equal((await change({ description: 'changed' })).description, 'changed');
  await upload(uuid, authorization);
  const cleared = await change({ image: null });
  assert.ok(cleared.image === null && cleared.description === 'changed', JSON.stringify(cleared));

  await api.callManagingOrganisationsAddUser({ uuid, userRoleCreateRequest: grant });
  const members = await api.callManagingOrganisationsListUsersList({ uuid });
  assert.deepEqual(members.map((m) => [m.userUuid, m.expirationTime]), [[grant.user, null]]);
  await api.callManagingOrganisationsDeleteUser({ uuid, userRoleDeleteRequest: grant });

  await api.callManagingOrganisationsDestroy({ uuid });
}

void main();
