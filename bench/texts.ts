import { mulberry32 } from './vectors';

/**
 * Texts with the statistics of technical documentation: words by Zipf's law out of a vocabulary of 30,000,
 * 40 to 160 of them a text, a heading, and now and then an identifier. A word of a text is drawn again more
 * likely, as what a section is about is. Equal seeds give equal texts.
 */
export interface TextSource {
  next(): { title: string; content: string };
}

const VOCABULARY = 30_000;
const SHORTEST = 40;
const LONGEST = 160;

/** Share of the words that repeat one of the same text. */
const REPEATED = 0.3;

const CONSONANTS = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z'];
const VOWELS = ['a', 'e', 'i', 'o', 'u'];
const EVERYDAY = 'the of and to in a is for with that it as on be this are by or from at'.split(
  ' ',
);

/** @param seed - of the texts; the vocabulary is the same for all. */
export function technicalTexts(seed: number): TextSource {
  const random = mulberry32(seed);
  return {
    next: () => {
      const drawn: string[] = [];
      const length = SHORTEST + Math.floor(random() * (LONGEST - SHORTEST));
      while (drawn.length < length) {
        const isRepeated = drawn.length > 0 && random() < REPEATED;
        drawn.push(
          isRepeated
            ? (drawn[Math.floor(random() * drawn.length)] as string)
            : random() < 0.3
              ? (EVERYDAY[Math.floor(random() * EVERYDAY.length)] as string)
              : zipfWord(random),
        );
      }
      const title = Array.from({ length: 3 }, () => drawn[Math.floor(random() * length)]).join(' ');
      return { title, content: `${drawn.join(' ')} ${drawn[0]}.${drawn[1]}${capital(drawn[2])}.` };
    },
  };
}

/**
 * Questions that such texts answer: a few words of one of them, some rare and some not, in a sentence.
 *
 * @param texts - what is searched; each gives one question.
 */
export function naturalQuestions(texts: readonly { content: string }[], seed: number): string[] {
  const random = mulberry32(seed);
  return texts.map(({ content }) => {
    const words = content.split(' ').filter(word => word.length > 4 && !word.includes('.'));
    const some = Array.from({ length: 5 }, () => words[Math.floor(random() * words.length)]);
    return `How do I ${some[0]} the ${some[1]} of a ${some[2]} when ${some[3]} is ${some[4]}?`;
  });
}

/** Word `rank` of the vocabulary with a probability of about 1 / rank. */
function zipfWord(random: () => number): string {
  return wordOf(Math.floor(VOCABULARY ** random()) - 1);
}

/** Of syllables, so that no stemmer makes one of two. */
function wordOf(rank: number): string {
  let word = '';
  let rest = rank + CONSONANTS.length * VOWELS.length;
  do {
    word += CONSONANTS[rest % CONSONANTS.length];
    rest = Math.floor(rest / CONSONANTS.length);
    word += VOWELS[rest % VOWELS.length];
    rest = Math.floor(rest / VOWELS.length);
  } while (rest > 0);
  return `${word}k`;
}

function capital(word = ''): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
