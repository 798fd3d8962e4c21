from tests.rest.serving import api, api_on_both, closed_api, http, logged, open_api, tokens

__all__ = ["api", "api_on_both", "closed_api", "http", "logged", "open_api", "tokens"]
