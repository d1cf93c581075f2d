// The steps with openapi-typescript's types and openapi-fetch.
import createClient from 'openapi-fetch';
import { CallManagingOrganisationOEnum, type components, type paths } from './gen/openapi-typescript';
import { assert, credentials, customerName, image, memberName, only, roleName, url } from './setting';

const organisations = '/api/call-managing-organisations/';
const organisation = '/api/call-managing-organisations/{uuid}/';

async function main() {
  const data = <T>(answer: { data?: T; error?: unknown }): T => {
    assert.ok(answer.data !== undefined, JSON.stringify(answer.error));
    return answer.data;
  };
  const { token } = data(await createClient<paths>({ baseUrl: url }).POST('/api-auth/password/', { body: credentials }));
  const api = createClient<paths>({ baseUrl: url, headers: { Authorization: `Token ${token}` } });
  const customers = data(await api.GET('/api/customers/', { params: { query: { name_exact: customerName } } }));
  const users = data(await api.GET('/api/users/', { params: { query: { username: memberName } } }));
  const roles = data(await api.GET('/api/roles/', { params: { query: { name: roleName } } }));
  const customer = only(customers).url;
  const grant = { role: only(roles).uuid, user: only(users).uuid };

  const o = [CallManagingOrganisationOEnum.ValueMinuscustomer_name];
  const list = data(await api.GET(organisations, { params: { query: { o, page: 1, page_size: 2 } } }));
  assert.ok(list.length === 2 && list[0].customer_name > list[1].customer_name, JSON.stringify(list));

  const created = data(await api.POST(organisations, { body: { customer, description: 'created' } }));
  assert.equal(created.description, 'created');
  const params = { path: { uuid: created.uuid } };
  assert.deepEqual(data(await api.GET(organisation, { params })), created);

  const change = async (body: components['schemas']['PatchedCallManagingOrganisationRequest']) =>
    data(await api.PATCH(organisation, { params, body }));
  assert.equal((await change({ description: 'changed' })).description, 'changed');
  const uploaded = data(await api.PATCH(organisation, {
    params,
    body: { image: '' },
    bodySerializer: () => {
      const form = new FormData();
      form.append('image', image());
      return form;
    },
  }));
  assert.notEqual(uploaded.image, null);
  const cleared = await change({ image: null });
  assert.ok(cleared.image === null && cleared.description === 'changed', JSON.stringify(cleared));

  data(await api.POST('/api/call-managing-organisations/{uuid}/add_user/', { params, body: grant }));
  const members = data(await api.GET('/api/call-managing-organisations/{uuid}/list_users/', { params }));
  assert.deepEqual(members.map((m) => [m.user_uuid, m.expiration_time]), [[grant.user, null]]);
  const removed = await api.POST('/api/call-managing-organisations/{uuid}/delete_user/', { params, body: grant });
  assert.equal(removed.response.status, 200);

  const deleted = await api.DELETE(organisation, { params });
  assert.equal(deleted.response.status, 204);
}

void main();
