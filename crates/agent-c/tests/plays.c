/* Plays with a policy file through the C library, and calls every function wrongly. `tests/c.rs` compiles and runs it:
 *     plays POLICY OBSERVATIONS ANSWERS
 * OBSERVATIONS has whole observations of bytes; q-values and actions go to ANSWERS, as raw numbers. */
#include <prism_agent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(int condition, const char *what, int line) {
    if (!condition) {
        fprintf(stderr, "line %d: not so: %s\n", line, what);
        exit(1);
    }
}
#define EXPECT(condition) expect((condition), #condition, __LINE__)

static unsigned char *contents(const char *name, size_t *length) {
    FILE *file = fopen(name, "rb");
    EXPECT(file != NULL);
    EXPECT(fseek(file, 0, SEEK_END) == 0);
    *length = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*length);
    EXPECT(bytes != NULL && fread(bytes, 1, *length, file) == *length);
    fclose(file);
    return bytes;
}

static void wrong_calls(prism_policy *policy, const unsigned char *observation, size_t length) {
    size_t action = 77, actions = prism_policy_actions(policy);
    float values[64];
    char name[64];
    const unsigned char *shown = observation;

    EXPECT(prism_policy_load(NULL, 5, NULL, 0) == NULL);
    EXPECT(prism_policy_load(observation, length, name, 0) == NULL);
    EXPECT(prism_policy_load(observation, length, name, 12) == NULL);
    EXPECT(strcmp(name, "this is not") == 0);
    EXPECT(prism_policy_actions(NULL) == 0 && prism_policy_observation_length(NULL) == 0);
    EXPECT(prism_policy_takes_bytes(NULL) == 0 && prism_policy_atoms(NULL) == 0);
    EXPECT(prism_policy_copy(NULL) == NULL);
    prism_policy_free(NULL);
    prism_screens_free(NULL);

    EXPECT(prism_policy_act_bytes(NULL, observation, length, 0.0, &action, 1) == PRISM_NULL);
    EXPECT(prism_policy_act_bytes(policy, NULL, length, 0.0, &action, 1) == PRISM_NULL);
    EXPECT(prism_policy_act_bytes(policy, observation, length, 0.0, NULL, 1) == PRISM_NULL);
    EXPECT(prism_policy_act_bytes(policy, observation, length - 1, 0.0, &action, 1) == PRISM_LENGTH);
    EXPECT(prism_policy_act_bytes(policy, observation, length, 0.0, &action, 2) == PRISM_ROOM);
    EXPECT(prism_policy_act_bytes(policy, observation, length, 1.5, &action, 1) == PRISM_EPSILON);
    EXPECT(prism_policy_act_bytes(policy, observation, length, 0.0 / 0.0 * 1.0, &action, 1) == PRISM_EPSILON);
    EXPECT(prism_policy_act_floats(policy, values, 64, 0.0, &action, 1) == PRISM_KIND);
    EXPECT(action == 77);
    EXPECT(prism_policy_values_bytes(policy, observation, length, values, actions + 1) == PRISM_ROOM);
    EXPECT(prism_policy_values_floats(policy, values, 64, values, actions) == PRISM_KIND);
    EXPECT(prism_policy_distributions_floats(policy, values, 64, values, actions) == PRISM_KIND);
    EXPECT(prism_policy_support(policy, NULL, 5) == (prism_policy_atoms(policy) ? PRISM_NULL : PRISM_KIND));
    EXPECT(prism_policy_seed(NULL, 5) == PRISM_NULL);
    EXPECT(prism_policy_action_name(policy, actions, name, sizeof name) == PRISM_KIND);
    EXPECT(prism_policy_action_name(policy, 0, NULL, sizeof name) != PRISM_OK);
    EXPECT(prism_screens_new(NULL, PRISM_RGBA, 4, 4) == NULL);
    EXPECT(prism_screens_new(policy, (prism_pixels)9, 4, 4) == NULL);
    EXPECT(prism_screens_new(policy, PRISM_RGBA, 0, 4) == NULL);
    EXPECT(prism_screens_reset(NULL) == PRISM_NULL);
    EXPECT(prism_screens_show(NULL, observation, length, &shown) == PRISM_NULL);
    EXPECT(strlen(prism_status_message(PRISM_ROOM)) > 0 && strlen(prism_status_message((prism_status)99)) > 0);
}

static void screens(prism_policy *policy) {
    size_t rows = 3, columns = 5, length = rows * columns * 4;
    prism_screens *screens = prism_screens_new(policy, PRISM_RGBA, rows, columns);
    if (screens == NULL) return;
    unsigned char *screen = calloc(length, 1);
    const unsigned char *observation = NULL;
    size_t action = 99;
    EXPECT(prism_screens_show(screens, screen, length - 1, &observation) == PRISM_LENGTH);
    EXPECT(prism_screens_show(screens, screen, length, NULL) == PRISM_NULL);
    EXPECT(prism_screens_show(screens, screen, length, &observation) == PRISM_OK);
    EXPECT(observation != NULL);
    size_t bytes = prism_policy_observation_length(policy);
    EXPECT(prism_policy_act_bytes(policy, observation, bytes, 0.0, &action, 1) == PRISM_OK);
    EXPECT(action < prism_policy_actions(policy));
    EXPECT(prism_screens_show(screens, screen, length, &observation) == PRISM_OK);
    EXPECT(prism_screens_reset(screens) == PRISM_OK);
    EXPECT(prism_screens_show(screens, screen, length, &observation) == PRISM_OK && observation != NULL);
    free(screen);
    prism_screens_free(screens);
}

int main(int count, char **arguments) {
    EXPECT(count == 4);
    size_t file_length, length;
    unsigned char *file = contents(arguments[1], &file_length);
    char message[256], name[64];
    prism_policy *policy = prism_policy_load(file, file_length, message, sizeof message);
    if (policy == NULL) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    free(file);
    unsigned char *observations = contents(arguments[2], &length);
    size_t one = prism_policy_observation_length(policy), actions = prism_policy_actions(policy);
    size_t batch = length / one;
    EXPECT(prism_policy_takes_bytes(policy) == 1 && batch > 0);
    wrong_calls(policy, observations, one);
    screens(policy);

    float *values = malloc(batch * actions * sizeof *values);
    size_t *chosen = malloc(batch * sizeof *chosen);
    EXPECT(prism_policy_values_bytes(policy, observations, length, values, batch * actions) == PRISM_OK);
    EXPECT(prism_policy_act_bytes(policy, observations, length, 0.0, chosen, batch) == PRISM_OK);
    FILE *answers = fopen(arguments[3], "wb");
    EXPECT(answers != NULL);
    EXPECT(fwrite(values, sizeof *values, batch * actions, answers) == batch * actions);
    for (size_t index = 0; index < batch; index++) {
        unsigned char action = (unsigned char)chosen[index];
        EXPECT(fwrite(&action, 1, 1, answers) == 1);
    }
    fclose(answers);

    size_t atoms = prism_policy_atoms(policy);
    if (atoms > 0) {
        float *probabilities = malloc(batch * actions * atoms * sizeof *probabilities);
        size_t all = batch * actions * atoms;
        EXPECT(prism_policy_distributions_bytes(policy, observations, length, probabilities, all) == PRISM_OK);
        EXPECT(prism_policy_support(policy, probabilities, atoms) == PRISM_OK && probabilities[0] < probabilities[1]);
        free(probabilities);
    }
    /* Equal seeds draw equal actions, in a copy as well. */
    size_t *again = malloc(batch * sizeof *again);
    EXPECT(prism_policy_seed(policy, 3) == PRISM_OK);
    prism_policy *copy = prism_policy_copy(policy);
    EXPECT(prism_policy_act_bytes(policy, observations, length, 1.0, chosen, batch) == PRISM_OK);
    EXPECT(prism_policy_act_bytes(copy, observations, length, 1.0, again, batch) == PRISM_OK);
    EXPECT(memcmp(chosen, again, batch * sizeof *again) == 0);
    if (prism_policy_action_name(policy, 0, name, sizeof name) == PRISM_OK) EXPECT(strlen(name) > 0);
    EXPECT(prism_policy_action_name(policy, 0, name, 1) != PRISM_OK);

    prism_policy_free(copy);
    prism_policy_free(policy);
    free(again);
    free(chosen);
    free(values);
    free(observations);
    return 0;
}
