// The field manager under which the API server tracks the signer's writes.

/** Field manager for all of the signer's writes (metav1 managedFields). */
export const FIELD_MANAGER = 'countersign-signer';
