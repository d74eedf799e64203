// The log of whatever is tested without a look at its log: errors show in the output of the test.

import { createLogger } from '@countersign/common/runtime/log.ts';

export const TEST_LOG = createLogger({ service: 'test', level: 'error' });
