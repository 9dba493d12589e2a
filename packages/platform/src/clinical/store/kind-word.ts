/** `QuestionnaireResponse` as audit entries write kinds: `questionnaire-response`. */
export const kindWord = (type: string): string => type.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase()
