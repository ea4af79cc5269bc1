import {
  catalogConditions,
  createCatalogConditionalDecision,
} from '@backstage/plugin-catalog-backend/alpha';
import { catalogEntityReadPermission } from '@backstage/plugin-catalog-common/alpha';
import {
  AuthorizeResult,
  type Permission,
  type PermissionCondition,
  type PermissionCriteria,
  type PolicyDecision,
} from '@backstage/plugin-permission-common';
import type {
  PermissionPolicy,
  PolicyQuery,
  PolicyQueryUser,
} from '@backstage/plugin-permission-node';

type Criteria = PermissionCriteria<PermissionCondition<'catalog-entity'>>;

const { hasLabel, hasMetadata, hasSpec, isEntityKind, isEntityOwner } = catalogConditions;

const tier = (value: string) => hasLabel({ label: 'tier', value });
const team = (...numbers: number[]) =>
  isEntityOwner({ claims: numbers.map(number => `group:default/team-${number}`) });
const named = (number: number) => hasLabel({ label: 'number', value: String(number) });

/** What a user of the matrix may do. */
export interface MatrixUser {
  /** Which entities it reads; none when it is left out. */
  reads?: Criteria;
  mayAsk?: boolean;
  /** Reads and manages the index. */
  manages?: boolean;
}

/** 20 users: 17 read a part of the catalog, three nothing, nobody everything. */
export const matrixUsers: Record<string, MatrixUser> = {
  'user:default/public': { reads: tier('public') },
  'user:default/internal': { reads: tier('internal'), manages: true },
  'user:default/nosecrets': { reads: { not: tier('secret') }, manages: true },
  'user:default/team0': { reads: team(0) },
  'user:default/team1': { reads: team(1) },
  'user:default/teams': { reads: team(2, 3, 4) },
  'user:default/notteam5': { reads: { not: team(5) } },
  'user:default/components': { reads: isEntityKind({ kinds: ['Component'] }) },
  'user:default/apis': { reads: isEntityKind({ kinds: ['API', 'Resource'] }) },
  'user:default/lab': { reads: hasMetadata({ key: 'namespace', value: 'lab' }) },
  'user:default/experimental': { reads: hasSpec({ key: 'lifecycle', value: 'experimental' }) },
  'user:default/both': { reads: { allOf: [tier('public'), team(0, 1)] } },
  'user:default/either': { reads: { anyOf: [named(3), named(77), team(9)] } },
  'user:default/one': { reads: named(42), manages: true },
  'user:default/allbutone': { reads: { not: named(42) } },
  'user:default/nobodys': { reads: tier('no such tier') },
  'user:default/silent': { reads: tier('public'), mayAsk: false },
  'user:default/denied': {},
  'user:default/denied-manager': { manages: true },
  'user:default/denied-silent': { mayAsk: false },
};

/** Decides by the table above; who is not in it may do nothing. */
export class MatrixPolicy implements PermissionPolicy {
  async handle({ permission }: PolicyQuery, user?: PolicyQueryUser): Promise<PolicyDecision> {
    const known = matrixUsers[user?.info.userEntityRef ?? ''];
    if (!known) {
      return DENY;
    }
    if (permission.name === catalogEntityReadPermission.name) {
      return known.reads
        ? createCatalogConditionalDecision(catalogEntityReadPermission, known.reads)
        : DENY;
    }
    return mayDo(known, permission) ? ALLOW : DENY;
  }
}

const ALLOW: PolicyDecision = { result: AuthorizeResult.ALLOW };
const DENY: PolicyDecision = { result: AuthorizeResult.DENY };

function mayDo({ mayAsk = true, manages = false }: MatrixUser, { name }: Permission): boolean {
  return name === 'askAi.question.ask' ? mayAsk : name.startsWith('askAi.index.') && manages;
}
