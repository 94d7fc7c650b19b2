// OpenAPI v2 and v3: the schemas and operations of what is served, as documents made once. Not validation, which schemas themselves do.
export { type OpenAPI, type OpenAPIOptions, type OpenAPIRequest, openAPIDocuments } from "./openapi.ts";
