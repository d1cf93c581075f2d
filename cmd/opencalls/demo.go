package main

import (
	"fmt"
	"io"

	"github.com/opencalls/opencalls/fixture"
)

// demoWelcome says how to sign in, in words that nobody takes for a production set-up.
func demoWelcome(w io.Writer, address string) {
	fmt.Fprintf(w, `
This database holds demo data. Its tokens and passwords are known to everybody: don't put it on a network.
  %-18s demo.staff, may do everything
  %-18s marta.virtanen, CUSTOMER.OWNER of Northern Lakes Supercomputing Centre
  %-18s jurgen.magi, a user without any role
The password of these and all other users is demo.

Try, in another terminal:
  curl -H "Authorization: Token %s" %s/api/call-managing-organisations/
  curl -H "Authorization: Token %s" %s/api/call-managing-organisations/%s/stats/
  http --ignore-stdin GET %s/api/call-managing-organisations/ Authorization:"Token %s"

`, fixture.DemoStaffToken, fixture.DemoOwnerToken, fixture.DemoUserToken,
		fixture.DemoStaffToken, address, fixture.DemoStaffToken, address, fixture.DemoBusyOrganisation, address, fixture.DemoStaffToken)
}
