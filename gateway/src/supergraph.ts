import { Supergraph } from '@apollo/federation-internals';

// Apollo's gateway refuses a supergraph that links these, because it does not enforce them; ours are enforced by the
// subgraphs (`enforceScopes`). `inaccessible` is linked `for: SECURITY` too, and that one the gateway does enforce.
const RULES_ENFORCED_BY_SUBGRAPHS =
  /(@link\(url: "https:\/\/specs\.apollo\.dev\/(?:authenticated|requiresScopes)\/[^"]+"[^)]*), for: SECURITY\)/g;

/** The supergraph in the form that @apollo/gateway loads: authorisation rules stay in it, but are no longer `for: SECURITY`. */
export function forApolloGateway(supergraphSdl: string): string {
  return supergraphSdl.replaceAll(RULES_ENFORCED_BY_SUBGRAPHS, '$1)');
}

/** @throws AggregateGraphQLError when the SDL is no supergraph or uses a feature that nothing here enforces. */
export function buildSupergraph(supergraphSdl: string): Supergraph {
  return Supergraph.build(forApolloGateway(supergraphSdl), { validateSupergraph: true });
}
