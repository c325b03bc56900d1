"""Skeletons of real programs' BVH files: names, hierarchy, offsets, and a pose where one is at hand.

As found in public files (LaFAN1's walk1_subject1, a Rokoko take, a Mixamo walk, an ActorCore walk,
an Xsens MVN export), without fingers and face; numbers are rounded. Indentation is the hierarchy; behind
a name its OFFSET, and rotations in the order of the rig's channels.
"""

from tests.unit.bvh_text import ROOT_CHANNELS, file, joint

LAFAN1 = """
Hips 173.4 91.95 -518.28 / 88.883 -0.252 88.116
 LeftUpLeg .1035 1.8578 10.5485 / 175.426 -4.497 170.732
  LeftLeg 43.5 0 0 / -17.021 1.102 1.251
   LeftFoot 42.372 0 0 / 77.611 -1.676 -2.929
    LeftToe 17.3 0 0 / 21.455 .003 0
 RightUpLeg .1035 1.8578 -10.5485 / 176.598 1.862 -178.262
  RightLeg 43.5 0 0 / -15.048 4.309 4.681
   RightFoot 42.372 0 0 / 77.763 -2.799 2.429
    RightToe 17.3 0 0 / 21.455 -.003 0
 Spine 6.902 -2.6037 0 / 5.495 -.233 .23
  Spine1 12.588 0 0 / .977 -.467 .457
   Spine2 12.343 0 0 / .658 -.464 .46
    Neck 25.833 0 0 / 5.237 .416 -17.16
     Head 11.767 0 0 / 16.178 7.996 -17.455
    LeftShoulder 19.746 -1.48 6 / -165.967 -77.208 -15.828
     LeftArm 11.284 0 0 / 2.382 64.163 31.763
      LeftForeArm 33 0 0 / -31.21 -12.98 1.123
       LeftHand 25.2 0 0 / -1.729 -10.793 14.275
    RightShoulder 19.746 -1.48 -6 / -146.381 72.883 35.908
     RightArm 11.284 0 0 / -9.734 -63.452 -35.722
      RightForeArm 33 0 0 / -29.438 12.805 -1.104
       RightHand 25.2 0 0 / 3.534 7.64 -10.912
"""
ROKOKO_STUDIO = """
Hips 0 94 0 / 17.001 6.773 5.947
 Spine 0 12.995 0 / 0 0 90
  Spine1 12.71 0 0 / 0 0 0
   Spine2 12.783 0 0 / 0 -23.185 0
    LeftShoulder 10.435 -7.04 1.915 / 0 0 -90
     LeftArm 13.46 0 0 / -39.81 6.877 -77.396
      LeftForeArm 26.1 0 0 / -29.252 0 0
       LeftHand 28.9 0 0 / 0 0 0
    Neck 18.209 0 0 / 0 0 0
     Head 11.034 0 0 / 23.788 15.035 -90.778
    RightShoulder 10.435 7.04 1.915 / 180 0 90
     RightArm 13.46 0 0 / 48.276 5.579 -73.465
      RightForeArm 26.1 0 0 / 28.346 0 0
       RightHand 28.9 0 0 / 0 0 0
 LeftUpLeg 8.1 0 0 / -3.186 -1.058 -88.246
  LeftLeg 43.2 0 0 / 36.019 -.023 .124
   LeftFoot 43.3 0 0 / 286.408 90 0
    LeftToeBase 14.573 0 0 / 1.767 -2.13 50.309
 RightUpLeg -8.1 0 0 / -13.657 -5.78 -89.497
  RightLeg 43.2 0 0 / 44.69 .06 -.096
   RightFoot 43.3 0 0 / 280.645 90 0
    RightToeBase 14.573 0 0 / .85 -1.036 50.628
"""
MIXAMO = """
Hips 0 102.36 0 / -8.719 -3.122 -2.328
 Spine 0 10.182 .132 / 6.101 -1.615 1.96
  Spine1 0 10.084 -1.001 / .447 3.399 .357
   Spine2 0 9.1 -1.373 / .464 3.399 .339
    Neck 0 16.672 -2.516 / -.189 -5.415 -2.185
     Head 0 9.618 1.685 / 2.181 -.358 7.986
      HeadTop_End 0 17.815 2.585 / 0 0 0
      LeftEye 3.068 6.41 9.284 / 0 0 0
      RightEye -3.068 6.41 9.284 / 0 0 0
    LeftShoulder 4.57 10.946 -2.628 / -7.558 3.369 -9.288
     LeftArm 10.592 -.525 -2.232 / -69.215 -45.349 14.135
      LeftForeArm 27.842 0 0 / 0 0 -42.435
       LeftHand 28.329 0 0 / 48.683 -.488 -23.527
        LeftHandThumb1 2.466 -1.575 2.682 / 4.431 -.009 15.279
        LeftHandIndex1 9.109 -.517 2.26 / 11.496 -.136 -2.811
    RightShoulder -4.57 10.946 -2.628 / 9.607 4.658 13.815
     RightArm -10.593 -.525 -2.232 / 64.571 -23.206 -2.69
      RightForeArm -27.842 0 0 / 0 0 17.649
       RightHand -28.329 0 0 / -48.502 6.91 29.359
        RightHandThumb1 -2.465 -1.573 2.683 / -33.221 -3.254 -16.366
 LeftUpLeg 8.208 -6.752 -1.6 / 5.864 -49.67 -1.335
  LeftLeg 0 -44.37 .285 / 178.717 67.462 -170.61
   LeftFoot 0 -44.428 -2.982 / 10.299 22.649 .332
    LeftToeBase 0 -8.729 10.711 / 0 -.258 0
 RightUpLeg -8.208 -6.752 -1.6 / 16.767 -9.782 -5.439
  RightLeg 0 -44.37 .286 / 1.646 34.36 4.837
   RightFoot 0 -44.428 -2.984 / -13.6 -20.377 -2.132
    RightToeBase 0 -8.729 10.711 / 0 -3.757 0
"""
ACTORCORE = """
CC_Base_BoneRoot 0 0 0
 CC_Base_Hip 0 0 105.21
  CC_Base_Pelvis 0 0 0
   CC_Base_L_Thigh 9.679 .301 -2.207
    CC_Base_L_Calf -.94 -.172 -40.658
     CC_Base_L_Foot -.952 .632 -42.311
      CC_Base_L_ToeBaseShareBone 1.567 -13.133 -2.424
      CC_Base_L_ToeBase 1.557 -12.97 -2.441
       CC_Base_L_BigToe1 -3.66 -2.553 .092
     CC_Base_L_CalfTwist01 0 0 0
      CC_Base_L_CalfTwist02 -.475 .31 -24.892
     CC_Base_L_KneeShareBone 0 0 0
    CC_Base_L_ThighTwist01 0 0 0
     CC_Base_L_ThighTwist02 -.465 -.08 -23.829
   CC_Base_R_Thigh -9.68 .301 -2.208
    CC_Base_R_ThighTwist01 0 0 0
    CC_Base_R_Calf .938 -.19 -40.658
     CC_Base_R_Foot .95 .643 -42.311
      CC_Base_R_ToeBase -1.56 -13.133 -2.424
      CC_Base_R_ToeBaseShareBone -1.56 -13.133 -2.424
  CC_Base_Waist 0 -1.391 7.892
   CC_Base_Spine01 0 -2.896 8
    CC_Base_Spine02 0 3.172 14.481
     CC_Base_NeckTwist01 0 5.037 26.915
      CC_Base_NeckTwist02 0 -.995 3.683
       CC_Base_Head 0 -1.056 3.987
        CC_Base_FacialBone 0 0 0
         CC_Base_L_Eye 3.319 -8.219 8.194
     CC_Base_L_Clavicle 5.626 3.737 20.628
      CC_Base_L_Upperarm 12.748 2.617 -.027
       CC_Base_L_Forearm 30.707 .007 -.259
        CC_Base_L_ForearmTwist01 0 0 0
        CC_Base_L_ElbowShareBone 0 0 0
        CC_Base_L_Hand 31.209 0 .134
         CC_Base_L_Mid1 11.379 -1.877 -.236
       CC_Base_L_UpperarmTwist01 0 0 0
     CC_Base_R_Clavicle -5.622 3.738 20.628
      CC_Base_R_Upperarm -12.747 2.62 -.027
       CC_Base_R_UpperarmTwist01 0 0 0
       CC_Base_R_Forearm -30.708 .03 -.259
        CC_Base_R_Hand -31.209 .02 .133
"""
XSENS = """
Hips 0 95 0
 Chest 0 9.817 -1.091
  Chest2 0 10.878 0
   Chest3 0 9.932 -.002
    Chest4 0 9.921 -.002
     Neck 0 13.897 0
      Head 0 9.237 .005
     RightCollar -3.028 7.792 0
      RightShoulder -14.178 0 0
       RightElbow -30.364 0 0
        RightWrist -24.821 0 0
     LeftCollar 3.028 7.792 0
      LeftShoulder 14.178 0 0
       LeftElbow 30.364 0 0
        LeftWrist 24.821 0 0
 RightHip -8.081 .007 0
  RightKnee 0 -41.932 0
   RightAnkle 0 -40.92 0
    RightToe 0 -7.124 16.18
 LeftHip 8.081 .005 0
  LeftKnee 0 -41.932 0
   LeftAnkle 0 -40.92 0
    LeftToe 0 -7.124 16.18
"""
# Rig -> its text, the order of its rotations, the shipped mapping that reads it.
RIGS = {
    "lafan1": (LAFAN1, "ZYX", "lafan1"),
    "rokoko_studio": (ROKOKO_STUDIO, "YXZ", "mixamo"),
    "mixamo": (MIXAMO, "ZXY", "mixamo"),
    "actorcore": (ACTORCORE, "XYZ", "character_creator"),
    "xsens": (XSENS, "YXZ", "xsens"),
}


def rig(name: str, frames: int = 4, scale: float = 1.0, prefix: str = "") -> str:
    """A BVH file of a rig that holds its pose.

    Args:
        scale: of all lengths: 0.01 makes metres of centimetres.
        prefix: before every name.
    """
    text, order, _ = RIGS[name]
    turns = tuple(f"{axis}rotation" for axis in order)
    lines = [line for line in text.splitlines() if line.strip()]
    depths = [len(line) - len(line.lstrip()) for line in lines]
    row: list[float] = []

    def node(index: int) -> str:
        head, _, pose = lines[index].partition("/")
        called, *numbers = head.split()
        offset = [scale * float(number) for number in numbers]
        channels = turns if index else (*ROOT_CHANNELS[:3], *turns)
        row.extend(offset if not index else [])
        row.extend(float(angle) for angle in (pose.split() or (0, 0, 0)))
        below = []
        for other in range(index + 1, len(lines)):
            if depths[other] <= depths[index]:
                break
            if depths[other] == depths[index] + 1:
                below.append(node(other))
        end = None if below else (0, 0, 0)
        kind = "JOINT" if index else "ROOT"
        return joint(prefix + called, offset, channels, below, end, kind)

    return file(node(0), [row] * frames)
