package handlers

import (
	"context"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
)

// Configuration is what the server is set up for. It asks the store nothing.
type Configuration struct{}

// ConfigurationRetrieve answers the configuration, which is the same for every server.
func (Configuration) ConfigurationRetrieve(
	context.Context, gen.ConfigurationRetrieveRequestObject,
) (gen.ConfigurationRetrieveResponseObject, error) {
	const name, language = "opencalls", "en"
	return gen.ConfigurationRetrieve200JSONResponse{Body: gen.PublicConfiguration{
		WALDURCORE: gen.ConfigurationCore{
			SITENAME: name, SHORTPAGETITLE: name, FULLPAGETITLE: name,
			AUTHENTICATIONMETHODS: []string{"LOCAL_SIGNIN"},
			USERMANDATORYFIELDS:   []string{},
			LANGUAGECHOICES:       language,
		},
		LANGUAGES:    [][]string{{language, "English"}},
		LANGUAGECODE: language,
		FEATURES: gen.ConfigurationFeatures{
			Marketplace: gen.ConfigurationMarketplace{ShowCallManagementFunctionality: true},
		},
	}}, nil
}

// Version is the program's version.
type Version string

// VersionRetrieve answers the version to those who may see it.
func (v Version) VersionRetrieve(
	ctx context.Context, _ gen.VersionRetrieveRequestObject,
) (gen.VersionRetrieveResponseObject, error) {
	if !access.From(ctx).MaySeeVersion() {
		return nil, forbidden()
	}
	return gen.VersionRetrieve200JSONResponse{Body: gen.Version{Version: string(v)}}, nil
}
