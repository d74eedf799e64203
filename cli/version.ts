// The version of the command: that of its package, which `build/set-version.ts` writes and the bundle includes.

import packageFile from './package.json' with { type: 'json' };

export const VERSION: string = packageFile.version;
