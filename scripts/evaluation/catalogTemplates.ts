/** A wording of a question: `{s}` is the entity, `{kind}` its kind, `{tag}` a tag, `{group}` what is tagged. */
export interface CatalogTemplate {
  text: string;
  /** Nothing was tuned on it: such questions tell whether a figure holds for other wordings. */
  isHeldOut: boolean;
}

/** Both kinds take turns, so that any number of questions has about as many of either. */
function wordings({ tuned, heldOut }: { tuned: string[]; heldOut: string[] }): CatalogTemplate[] {
  const length = Math.max(tuned.length, heldOut.length);
  return Array.from({ length }, (_, index) => [
    { text: tuned[index], isHeldOut: false },
    { text: heldOut[index], isHeldOut: true },
  ])
    .flat()
    .filter((template): template is CatalogTemplate => template.text !== undefined);
}

/** By what is asked for; as engineers ask it, in whole sentences and in a few words. */
export const TEMPLATES: Record<string, CatalogTemplate[]> = {
  owner: wordings({
    tuned: [
      'Who owns {s}?',
      'Which team is responsible for {s}?',
      '{s} owner',
      'Who maintains {s}?',
      'Whom do I contact about {s}?',
    ],
    heldOut: [
      'Who is in charge of {s}?',
      'Can you tell me who owns the {kind} {s}?',
      'Which team takes care of {s}?',
      'owner of {s}',
    ],
  }),
  owns: wordings({
    tuned: [
      'What does {s} own?',
      'What is {s} responsible for?',
      'Which components does {s} own?',
      'Which services are owned by {s}?',
      'what do the people of {s} maintain',
    ],
    heldOut: [
      'Which things are owned by the {kind} {s}?',
      'everything {s} owns',
      'What software is {s} in charge of?',
    ],
  }),
  'depends on': wordings({
    tuned: [
      'What does {s} depend on?',
      'dependencies of {s}',
      'Which resources does {s} need?',
      'What does {s} rely on?',
      'Which databases and services does {s} use?',
    ],
    heldOut: [
      'On what does {s} depend?',
      'Which things does {s} require?',
      'Show the dependencies of the {kind} {s}',
    ],
  }),
  'dependency of': wordings({
    tuned: [
      'What depends on {s}?',
      'Who uses {s}?',
      'Which components depend on {s}?',
      'What breaks when {s} is down?',
      'Who would be affected by a change of {s}?',
    ],
    heldOut: [
      'Who depends on {s}?',
      'What else needs {s}?',
      'Which components would break without {s}?',
    ],
  }),
  'part of': wordings({
    tuned: [
      'What is {s} part of?',
      'Which system does {s} belong to?',
      'system of {s}',
      'In which system is {s}?',
    ],
    heldOut: [
      'To which system does {s} belong?',
      'Which system contains {s}?',
      'What is the system of the {kind} {s}?',
    ],
  }),
  'has part': wordings({
    tuned: [
      'What is part of {s}?',
      'Which components belong to {s}?',
      'What does {s} consist of?',
      'list the parts of the {kind} {s}',
    ],
    heldOut: [
      'What are the parts of {s}?',
      'Which components are in the {kind} {s}?',
      'components of {s}',
    ],
  }),
  tagged: wordings({
    tuned: [
      'What is tagged {tag}?',
      'Which entities have the tag {tag}?',
      'tag {tag}',
      'Show everything with the tag {tag}',
      'Which of our things are marked as {tag}?',
    ],
    heldOut: [
      'Which entities are tagged with {tag}?',
      'everything tagged {tag}',
      'Find entities tagged "{tag}"',
    ],
  }),
  'tagged, of a kind': wordings({
    tuned: [
      'Which {group} are tagged {tag}?',
      'Which {group} have the tag {tag}?',
      'list {group} marked {tag}',
    ],
    heldOut: ['Show me the {group} that are tagged {tag}', '{group} tagged {tag}'],
  }),
  'tags of': wordings({
    tuned: [
      'Which tags does {s} have?',
      'How is {s} tagged?',
      'What are the tags of the {kind} {s}?',
    ],
    heldOut: ['What is {s} tagged with?', 'tags of {s}'],
  }),
};
