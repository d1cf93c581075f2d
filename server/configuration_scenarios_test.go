package server_test

const configuration = `{"LANGUAGES":[["en","English"]],"LANGUAGE_CODE":"en","FEATURES":{"marketplace":{"show_call_management_functionality":true,"call_only":false}},` +
	`"WALDUR_CORE":{"SITE_NAME":"opencalls","SHORT_PAGE_TITLE":"opencalls","FULL_PAGE_TITLE":"opencalls","AUTHENTICATION_METHODS":["LOCAL_SIGNIN"],` +
	`"USER_MANDATORY_FIELDS":[],"LANGUAGE_CHOICES":"en"}}`

var configurationScenarios = []scenario{
	{name: "without a token", as: "nobody", request: "GET /api/configuration/", status: 200, want: configuration, headers: map[string]string{"Content-Type": "application/json"}},
	{name: "with a token", as: "bob", request: "GET /api/configuration/?zzz=1", status: 200, want: configuration},
	{name: "a query that is not UTF-8", request: "GET /api/configuration/?%FF", status: 400, want: notUTF8},
}

var versionScenarios = []scenario{
	{name: "by staff", request: "GET /api/version/", status: 200, want: `{"version":"dev"}`},
	{name: "by support", as: "sue", request: "GET /api/version/", status: 200, want: `{"version":"dev"}`},
	{name: "a query that is not UTF-8", request: "GET /api/version/?%FF", status: 400, want: notUTF8},
	{name: "by an owner", as: "olev", request: "GET /api/version/", status: 403, want: mayNot},
}
