export function backportsBeside(
  text: string,
  codename: string,
): { readonly form: 'sources' | 'list'; readonly text: string } | null;
