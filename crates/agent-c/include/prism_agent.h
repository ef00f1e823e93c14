/* Acts with agents that prism has trained.
 *
 * Every function may be called with null pointers and with wrong lengths: it then changes nothing and says so. A policy and
 * screens may be used by one thread at a time; a copy by another at the same time. */
#ifndef PRISM_AGENT_H
#define PRISM_AGENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A trained agent. */
typedef struct prism_policy prism_policy;

/* Makes observations of a game's screens. */
typedef struct prism_screens prism_screens;

/* What came of a call. */
typedef enum prism_status {
    PRISM_OK = 0,
    /* A pointer is null. */
    PRISM_NULL = 1,
    /* Observations or a screen have another length than expected. */
    PRISM_LENGTH = 2,
    /* The place for the answer has another length than the answer. */
    PRISM_ROOM = 3,
    /* The policy takes bytes and numbers were given, or it has no distributions. */
    PRISM_KIND = 4,
    /* epsilon is not a probability. */
    PRISM_EPSILON = 5,
    /* A bug in prism. */
    PRISM_BUG = 6
} prism_status;

/* Bytes of a screen's pixels. */
typedef enum prism_pixels {
    /* Red, green, blue, opacity, which is ignored. */
    PRISM_RGBA = 0,
    PRISM_RGB = 1,
    PRISM_GREY = 2
} prism_pixels;

/* The policy in the bytes of a policy file, or null; then, and where there is room, `message` says why, with a zero at its
 * end. `message` may be null. Random actions come from seed 0. */
prism_policy *prism_policy_load(const uint8_t *bytes, size_t length, char *message, size_t room);

/* A policy with the same weights and random actions to come, for another thread; null for null. */
prism_policy *prism_policy_copy(const prism_policy *policy);

/* Ends a policy; null is allowed. */
void prism_policy_free(prism_policy *policy);

/* How many actions there are; an action is a number below. 0 for null. */
size_t prism_policy_actions(const prism_policy *policy);

/* How many bytes (prism_policy_takes_bytes) or numbers an observation has. 0 for null. */
size_t prism_policy_observation_length(const prism_policy *policy);

/* 1 where observations are bytes, 0 where they are numbers or the policy is null. */
int prism_policy_takes_bytes(const prism_policy *policy);

/* How many atoms the distributions of returns have; 0 where there are none or the policy is null. */
size_t prism_policy_atoms(const prism_policy *policy);

/* The name of an action, with a zero at its end. PRISM_KIND where there is no such action or the file has no names,
 * PRISM_ROOM where the name does not fit. */
prism_status prism_policy_action_name(const prism_policy *policy, size_t action, char *name, size_t room);

/* Draws random actions from this seed from here on. */
prism_status prism_policy_seed(prism_policy *policy, uint64_t seed);

/* An action for each of `count` observations, which follow one another: a random one with probability epsilon, else the one
 * of largest q-value. `length` counts all bytes or numbers of all observations. */
prism_status prism_policy_act_bytes(prism_policy *policy, const uint8_t *observations, size_t length, double epsilon,
                                    size_t *actions, size_t count);
prism_status prism_policy_act_floats(prism_policy *policy, const float *observations, size_t length, double epsilon,
                                     size_t *actions, size_t count);

/* The q-values of observations, [observations][actions]; `count` is the number of all of them. */
prism_status prism_policy_values_bytes(prism_policy *policy, const uint8_t *observations, size_t length, float *values,
                                       size_t count);
prism_status prism_policy_values_floats(prism_policy *policy, const float *observations, size_t length, float *values,
                                        size_t count);

/* Probabilities of the atoms of each action's return, [observations][actions][atoms]; `count` is the number of all of them. */
prism_status prism_policy_distributions_bytes(prism_policy *policy, const uint8_t *observations, size_t length,
                                              float *probabilities, size_t count);
prism_status prism_policy_distributions_floats(prism_policy *policy, const float *observations, size_t length,
                                               float *probabilities, size_t count);

/* The returns that distributions have probabilities of, rising, [atoms]. */
prism_status prism_policy_support(const prism_policy *policy, float *support, size_t count);

/* What makes the policy's observations of screens with so many rows and columns; null where the policy was not trained on
 * screens or there can be no such screen. */
prism_screens *prism_screens_new(const prism_policy *policy, prism_pixels pixels, size_t rows, size_t columns);

/* Ends screens; null is allowed. */
void prism_screens_free(prism_screens *screens);

/* Begins a new game: the next screen is its first. */
prism_status prism_screens_reset(prism_screens *screens);

/* Takes the game's next screen. Where an action is due, `observation` becomes the place of the new observation, which stays
 * until the next screen; else it becomes null. */
prism_status prism_screens_show(prism_screens *screens, const uint8_t *screen, size_t length, const uint8_t **observation);

/* What a status means. */
const char *prism_status_message(prism_status status);

#ifdef __cplusplus
}
#endif

#endif
