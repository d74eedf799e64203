// The name under which the API server keeps what the signer writes.

/** The field manager of everything that the signer writes (metav1 managedFields). */
export const FIELD_MANAGER = 'countersign-signer';
