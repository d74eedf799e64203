// What is answered, as the JSON Schema by which fastify writes it: an answer that lacks what the API server needs is never sent, and
// whatever else one holds is written as it is.

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
