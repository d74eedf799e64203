// The JSON Schema with which fastify serializes responses: a response without the fields that the API server needs is
// never sent, and all other fields are written unchanged.

const REVIEW = {
  type: 'object',
  required: ['apiVersion', 'kind', 'response'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    response: {
      type: 'object',
      required: ['uid', 'allowed'],
      properties: { uid: { type: 'string' }, allowed: { type: 'boolean' } },
      additionalProperties: true,
    },
  },
};

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'string' }, uid: { type: 'string' } },
};

/** By HTTP status. */
export const ANSWER_SCHEMA = { 200: REVIEW, '4xx': ERROR, '5xx': ERROR };
