// The name under which the API server records what the approver writes.

export const FIELD_MANAGER = 'countersign-approver';
