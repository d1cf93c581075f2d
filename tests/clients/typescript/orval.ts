// The ten steps with orval's fetch client.
import * as api from './gen/orval';
import { assert, authorization, customer, grant, upload } from './setting';

async function main() {
  const options = { headers: { Authorization: authorization } };

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
  await upload(uuid);
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
