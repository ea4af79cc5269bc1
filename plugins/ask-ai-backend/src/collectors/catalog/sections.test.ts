import type { Entity } from '@backstage/catalog-model';
import { describe, expect, it } from 'vitest';
import { sectionsOf } from './sections';

function entityOf(partial: Partial<Omit<Entity, 'metadata'>> & { metadata: object }): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    ...partial,
    metadata: { name: 'payments-service', ...partial.metadata },
  };
}

const SERVICE = entityOf({
  metadata: {
    title: 'Payments Service',
    description: 'Takes card payments.',
    tags: ['java', 'spring'],
    labels: { tier: 'gold' },
    annotations: {
      'backstage.io/source-location': 'url:https://git.example.com/payments/',
      'backstage.io/managed-by-location': 'file:/data/entity.yaml',
      'github.com/project-slug': 'shop/payments',
      'internal.example.com/build': '17',
    },
    links: [
      { url: 'https://status.example.com', title: 'Status' },
      { url: 'https://a.example.com' },
    ],
  },
  spec: { type: 'service', lifecycle: 'production', owner: 'team-payments' },
  relations: [
    { type: 'dependsOn', targetRef: 'resource:default/auth-db' },
    { type: 'dependencyOf', targetRef: 'component:default/checkout' },
    { type: 'dependencyOf', targetRef: 'component:shop/web' },
    { type: 'ownedBy', targetRef: 'group:default/team-payments' },
    { type: 'partOf', targetRef: 'system:default/commerce' },
    { type: 'providesApi', targetRef: 'api:default/payments-api' },
    { type: 'reviewedBy', targetRef: 'user:default/guest' },
  ],
});

describe('sectionsOf', () => {
  it('tells the facts of an entity in sentences that name it', () => {
    expect(sectionsOf(SERVICE)[0]).toEqual({
      headingPath: ['Entity production service (component): owner, part of, tags, labels'],
      location: '/catalog/default/component/payments-service',
      text: [
        'Payments Service (payments-service) is a production service (component).',
        '',
        '- payments-service is owned by the group team-payments, which maintains it and is responsible for it.',
        '- payments-service is part of the system commerce, to which it belongs.',
        '- payments-service is tagged (labelled, marked): java, spring.',
        '- Labels of payments-service: tier=gold.',
        '- The source code of payments-service is at https://git.example.com/payments/',
        '- github.com/project-slug of payments-service: shop/payments',
        '',
        'Takes card payments.',
      ].join('\n'),
    });
  });

  it('tells the other relations in both directions', () => {
    const relations = sectionsOf(SERVICE)[1];
    expect(relations?.headingPath).toEqual([
      'Relations: depends on, dependency of, provides, reviewed by',
    ]);
    expect(relations?.text.split('\n')).toEqual([
      '- payments-service depends on the resource auth-db, which it needs, uses and relies on.',
      '- payments-service is a dependency of the components checkout and web (component:shop/web), which depend on payments-service, use it and are affected when it is down or changes.',
      '- payments-service provides the API payments-api.',
      '- payments-service, reviewed by: the user guest.',
    ]);
  });

  it('lists the links', () => {
    expect(sectionsOf(SERVICE).at(-1)).toMatchObject({
      headingPath: ['Links'],
      text: 'Links of payments-service:\n\n- Status: https://status.example.com\n- Link: https://a.example.com',
    });
  });

  it('leaves out what only machines read', () => {
    const text = JSON.stringify(sectionsOf(SERVICE));
    expect(text).not.toContain('/data/entity.yaml');
    expect(text).not.toContain('internal.example.com');
  });

  it.each([
    ['openapi', 'openapi: 3.0.0\npaths: {}\n', 'yaml'],
    ['openapi', '{ "openapi": "3.0.0" }', 'json'],
    ['asyncapi', 'asyncapi: 2.0.0', 'yaml'],
    ['graphql', 'type Query { me: User }', 'graphql'],
    ['grpc', 'service Pets {}', 'protobuf'],
  ])('fences the %s definition %j as %s', (type, definition, language) => {
    const entity = entityOf({ kind: 'API', metadata: {}, spec: { type, definition } });
    expect(sectionsOf(entity)[1]).toMatchObject({
      headingPath: ['API definition'],
      text: `The ${type} definition of payments-service:\n\n\`\`\`${language}\n${definition.trim()}\n\`\`\``,
    });
  });

  it('fences a definition with more runs of backticks than a call takes arguments', () => {
    const definition = `${'`a` '.repeat(130_000)}\`\`\`\``;
    const entity = entityOf({ kind: 'API', metadata: {}, spec: { type: 'openapi', definition } });
    expect(sectionsOf(entity)[1]?.text.endsWith('\n`````')).toBe(true);
  });

  it('tells a long list in sentences of ten, each with the name', () => {
    const relations = Array.from({ length: 23 }, (_, index) => ({
      type: 'ownerOf',
      targetRef: `component:default/part-${index}`,
    }));
    const [, section] = sectionsOf(entityOf({ kind: 'Group', metadata: {}, relations }));
    expect(section?.text.match(/^- payments-service owns the components /gm)).toHaveLength(3);
  });

  it('reads the declarations where the catalog has no relations yet', () => {
    const entity = entityOf({
      metadata: { namespace: 'shop' },
      spec: { owner: 'team-a', system: 'commerce', dependsOn: ['resource:default/db', 'cart'] },
    });
    const text = sectionsOf(entity)
      .map(section => section.text)
      .join('\n');
    expect(text).toContain('is owned by the group team-a (Group:shop/team-a),');
    expect(text).toContain('is part of the system commerce (System:shop/commerce),');
    expect(text).toContain('depends on the resource db; the component cart (Component:shop/cart),');
  });

  it('says the name and the mail address of a group', () => {
    const entity = entityOf({
      kind: 'Group',
      metadata: { name: 'team-a' },
      spec: { type: 'team', profile: { displayName: 'Team A', email: 'a@example.com' } },
    });
    expect(sectionsOf(entity)[0]?.text).toContain('Team A (team-a) is a team (group).');
    expect(sectionsOf(entity)[0]?.text).toContain(
      '- The e-mail address of team-a is a@example.com',
    );
  });

  it('says what a template asks for and does', () => {
    const entity = entityOf({
      kind: 'Template',
      metadata: { name: 'new-service' },
      spec: {
        type: 'service',
        parameters: [
          {
            title: 'About the service',
            properties: { name: { title: 'Name', description: 'Unique' }, owner: {} },
          },
        ],
        steps: [{ id: 'fetch', name: 'Fetch the skeleton', action: 'fetch:template' }],
      },
    });
    const text = sectionsOf(entity).map(section => section.text);
    expect(text[1]).toBe(
      'The template new-service asks for:\n\n- About the service\n  - Name: Unique\n  - owner',
    );
    expect(text[2]).toBe(
      'The template new-service does this:\n\n- Fetch the skeleton (fetch:template)',
    );
  });

  it('takes an entity with nothing but a name', () => {
    expect(sectionsOf(entityOf({ metadata: {} }))).toEqual([
      {
        headingPath: ['Entity component'],
        text: 'payments-service is a component.',
        location: '/catalog/default/component/payments-service',
      },
    ]);
  });
});
