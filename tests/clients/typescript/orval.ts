// The steps with orval's fetch client.
import * as api from './gen/orval';
import { assert, credentials, customerName, memberName, only, roleName, upload } from './setting';

async function main() {
  const signedIn = await api.apiAuthPassword(credentials);
  assert.ok(signedIn.status === 200, JSON.stringify(signedIn));
  const authorization = `Token ${signedIn.data.token}`;
  const options = { headers: { Authorization: authorization } };
  const customers = await api.customersList({ name_exact: customerName }, options);
  const users = await api.usersList({ username: memberName }, options);
  const roles = await api.rolesList({ name: roleName }, options);
  assert.ok(customers.status === 200 && users.status === 200 && roles.status === 200);
  const customer = only(customers.data).url;
  const grant = { role: only(roles.data).uuid, user: only(users.data).uuid };

  const list = await api.callManagingOrganisationsList({ o: ['-customer_name'], page: 1, page_size: 2 }, options);
  assert.ok(list.status === 200 && list.data.length === 2 && list.data[0].customer_name > list.data[1].customer_name, JSON.stringify(list));

  const created = await api.callManagingOrganisationsCreate({ customer, description: 'created' }, options);
  assert.ok(created.status === 201 && created.data.description === 'created', JSON.stringify(created));
  const { uuid } = created.data;
  assert.deepEqual((await api.callManagingOrganisationsRetrieve(uuid, options)).data, created.data);

  const change = async (body: api.PatchedCallManagingOrganisationRequest) => {
    const answer = await api.callManagingOrganisationsPartialUpdate(uuid, body, options);
    assert.ok(answer.status === 200, JSON.stringify(answer));
    return answer.data;
  };
  assert.equal((await change({ description: 'changed' })).description, 'changed');
  await upload(uuid, authorization);
  const cleared = await change({ image: null });
  assert.ok(cleared.image === null && cleared.description === 'changed', JSON.stringify(cleared));

  assert.equal((await api.callManagingOrganisationsAddUser(uuid, grant, options)).status, 201);
  const members = await api.callManagingOrganisationsListUsersList(uuid, undefined, options);
  assert.ok(members.status === 200);
  assert.deepEqual(members.data.map((m) => [m.user_uuid, m.expiration_time]), [[grant.user, null]]);
  assert.equal((await api.callManagingOrganisationsDeleteUser(uuid, grant, options)).status, 200);

  assert.equal((await api.callManagingOrganisationsDestroy(uuid, options)).status, 204);
}

void main();
