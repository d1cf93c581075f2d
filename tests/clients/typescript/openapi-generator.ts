// The ten steps with openapi-generator's typescript-fetch client.
import { CallManagingOrganisationOEnum, CallManagingOrganisationsApi, Configuration } from './gen/openapi-generator';
import { assert, authorization, customer, grant, upload, url } from './setting';

async function main() {
  const api = new CallManagingOrganisationsApi(new Configuration({ basePath: url, apiKey: authorization }));

  const list = await api.callManagingOrganisationsList({ o: [CallManagingOrganisationOEnum.CustomerName2], page: 1, pageSize: 2 });
  assert.ok(list.length === 2 && list[0].customerName > list[1].customerName, JSON.stringify(list));

  const created = await api.callManagingOrganisationsCreate({ callManagingOrganisationRequest: { customer, description: 'created' } });
  assert.equal(created.description, 'created');
  const { uuid } = created;
  assert.deepEqual(await api.callManagingOrganisationsRetrieve({ uuid }), created);

  const change = (patchedCallManagingOrganisationRequest: { description?: string; image?: null }) =>
    api.callManagingOrganisationsPartialUpdate({ uuid, patchedCallManagingOrganisationRequest });
  assert.equal((await change({ description: 'changed' })).description, 'changed');
  await upload(uuid);
  const cleared = await change({ image: null });
  assert.ok(cleared.image === null && cleared.description === 'changed', JSON.stringify(cleared));

  await api.callManagingOrganisationsAddUser({ uuid, userRoleCreateRequest: grant });
  const members = await api.callManagingOrganisationsListUsersList({ uuid });
  assert.deepEqual(members.map((m) => [m.userUuid, m.expirationTime]), [[grant.user, null]]);
  await api.callManagingOrganisationsDeleteUser({ uuid, userRoleDeleteRequest: grant });

  await api.callManagingOrganisationsDestroy({ uuid });
}

void main();
