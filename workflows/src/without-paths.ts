const PATH = /(?:file:\/\/)?(?:\/[^\s/:;,()'"]+)+\/([^\s/:;,()'"]+)/g;

/** The text with every absolute path cut to its last part: where things lie on the machine is not for the tenant's people. */
export function withoutPaths(text: string): string {
  return text.replace(PATH, '$1');
}
