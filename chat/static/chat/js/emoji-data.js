// Emoji by group: each with its name in English and Chinese, and words to find it by, of both.
// From Unicode CLDR (https://cldr.unicode.org, Unicode licence) by way of emojibase-data 17 (MIT).

import { gettext } from "./i18n.js";

export const GROUPS = [
  { name: gettext("Smileys"), rows: `
😀|grinning face|嘿嘿|cheerful cheery grin happy 笑脸 脸 高兴
😃|grinning face with big eyes|哈哈|awesome grin happy mouth 太棒了 开口笑 开口笑脸
😄|grinning face with smiling eyes|大笑|eye grin happy laugh 哈哈 开口而笑的脸 开心
😁|beaming face with smiling eyes|嘻嘻|eye grin grinning happy 笑脸 笑颜 脸
😆|grinning squinting face|斜眼笑|closed eyes haha hahaha lol 咧嘴笑 哈哈
😅|grinning face with sweat|苦笑|cold dejected excited mouth 冷汗 出汗 开口冒冷汗的脸
🤣|rolling on the floor laughing|笑得满地打滚|crying face funny haha lolol 乐翻了 哈哈
😂|face with tears of joy|笑哭了|crying feels funny haha lol 喜极而泣 大笑
🙂|slightly smiling face|呵呵|happy smile 开心 浅笑的脸 笑
🙃|upside-down face|倒脸|hehe smile 好玩 好笑 脸
😉|winking face|眨眼|flirt heartbreaker sexy slide 媚眼 撩拨 眨眼的脸
😊|smiling face with smiling eyes|羞涩微笑|blush eye glad satisfied 害羞 微笑 满意
😇|smiling face with halo|微笑天使|angel angelic angels blessed 光环 天使 天真
🥰|smiling face with hearts|喜笑颜开|3 adore crush heart 三颗爱心的笑脸 心 我爱你
😍|smiling face with heart-eyes|花痴|143 bae eye feels 我爱你 爱 红心
🤩|star-struck|好崇拜哦|excited eyes face grinning 兴奋 咧嘴笑 满天星
😘|face blowing a kiss|飞吻|adorbs bae flirt heart 亲亲 想你 我爱你
😗|kissing face|亲亲|143 date dating flirt 亲吻 吻 脸
☺️|smiling face|微笑|happy outlined relaxed smile 呵呵 开心 放松
😚|kissing face with closed eyes|羞涩亲亲|143 bae blush date 亲亲 吻 我爱你
😙|kissing face with smiling eyes|微笑亲亲|143 closed date dating 亲亲 吻 微笑
🥲|smiling face with tear|含泪的笑脸|glad grateful happy joy 喜悦 喜极而泣 幸福
😋|face savoring food|好吃|delicious eat full hungry 口水 哈喇子 津津有味
😛|face with tongue|吐舌|awesome cool nice party 吐舌头的脸 太好了 脸
😜|winking face with tongue|单眼吐舌|crazy epic eye funny 单眼 古怪 吐舌
🤪|zany face|滑稽|crazy eye eyes goofy 大小眼 大眼 小眼
😝|squinting face with tongue|眯眼吐舌|closed eye eyes gross 可怕 吐舌 尝
🤑|money-mouth face|发财|money mouth paid 拜金 脸 见钱眼开
🤗|smiling face with open hands|抱抱|hug hugging 抱 拥抱 笑
🤭|face with hand over mouth|不说|giggle giggling oops realization 不可说 傻笑 吃吃傻笑
🤫|shushing face|安静的脸|quiet shh shush 嘘 嘘声手势的脸 安静
🤔|thinking face|想一想|chin consider hmm ponder 思考 想 想事情
🤐|zipper-mouth face|闭嘴|keep mouth quiet secret 住嘴 嘴 封口
🤨|face with raised eyebrow|挑眉|disapproval disbelief distrust emoji 不信任 不敢置信 不赞同
😐️|neutral face|冷漠|awkward blank deadpan expressionless 无感 脸 表情空洞
😑|expressionless face|无语|awkward dead fine inexpressive 没有反应 绷着脸 脸
😶|face without mouth|沉默|awkward blank expressionless mouthless 嘴 安静 没嘴
😏|smirking face|得意|boss dapper flirt homie 假笑 冷笑 得意的笑
😒|unamused face|不高兴|... bored fine jealous 不屑 不服 不爽的脸
🙄|face with rolling eyes|翻白眼|eyeroll shade ugh whatever 不敢苟同 无语 白眼
😬|grimacing face|龇牙咧嘴|awk awkward dentist grimace 咬牙切齿 尴尬 牙医
🤥|lying face|说谎|liar lie pinocchio 匹诺曹 脸 长鼻子
😌|relieved face|松了口气|calm peace relief zen 如释重负 松口气 脸
😔|pensive face|沉思|awful bored dejected died 失落 心事重重 忧虑
😪|sleepy face|困|crying good night sad 哭 想睡 满脸睡容
🤤|drooling face|流口水|口水 垂涎 垂涎三尺
😴|sleeping face|睡着了|bed bedtime good goodnight 呼噜 小睡 想睡
😷|face with medical mask|感冒|cold dentist dermatologist doctor 医生 口罩 戴口罩
🤒|face with thermometer|发烧|ill sick 体温计 咬着体温计的脸 温度计
🤕|face with head-bandage|受伤|bandage hurt injury ouch 头绑绷带 打绷带 脸
🤢|nauseated face|恶心|gross nasty sick vomit 吐 呕 恶心作呕的脸
🤮|face vomiting|呕吐|barf ew gross puke 不舒服 吐 呕吐的脸
🤧|sneezing face|打喷嚏|fever flu gesundheit sick 喷嚏 打喷嚏的脸 生病
🥵|hot face|脸发烧|dying feverish heat panting 中暑 冒汗 出汗
🥶|cold face|冷脸|blue blue-faced freezing frostbite 冰柱 冷 冷冰冰
🥴|woozy face|头昏眼花|dizzy drunk eyes intoxicated 两眼不平 喝醉 嘴唇颤抖
😵|face with crossed-out eyes|晕头转向|dead dizzy feels knocked 头晕 头晕眼花 晕头
🤯|exploding head|爆炸头|blown explode mind mindblown 不可能 印象深刻 吓到了
🤠|cowboy hat face|牛仔帽脸|cowgirl 帽 牛仔 脸
🥳|partying face|聚会笑脸|bday birthday celebrate celebration 号角 喝彩 帽子
🥸|disguised face|伪装的脸|disguise eyebrow glasses incognito 人物 伪装 眉毛
😎|smiling face with sunglasses|墨镜笑脸|awesome beach bright bro 墨镜 太阳镜 眼镜
🤓|nerd face|书呆子脸|brainy clever expert geek 专家 书呆子 天才
🧐|face with monocle|带单片眼镜的脸|classy fancy rich stuffy 单眼镜 古板 奢华
😕|confused face|困扰|befuddled confusing dunno frown 不懂 不确定 困惑
😟|worried face|担心|anxious butterflies nerves nervous 不高兴 伤心 忧心的脸
🙁|slightly frowning face|微微不满|frown sad 不开心 不高兴 不高兴的脸
☹️|frowning face|不满|frown sad 不爽 不高兴 委屈
😮|face with open mouth|吃惊|believe forgot omg shocked 同情 啊 忘记
😯|hushed face|缄默|epic omg stunned surprised 吃惊 哦 我的天
😲|astonished face|震惊|cost no omg shocked 不可以 惊 惊讶
😳|flushed face|脸红|amazed awkward crazy dazed 困惑 天呀 害羞
🥺|pleading face|恳求的脸|begging big eyes mercy 可怜兮兮的眼神 大眼睛 小狗的脸
😦|frowning face with open mouth|啊|caught frown guard scared 惊讶 意外 目瞪口呆
😧|anguished face|极度痛苦|forgot scared scary stressed 痛 痛啊 痛苦
😨|fearful face|害怕|afraid anxious blame fear 不安 怕 恐怖
😰|anxious face with sweat|冷汗|blue cold eek mouth 张嘴冒冷汗的脸 惊讶 无语
😥|sad but relieved face|失望但如释重负|anxious call close complicated 下次吧 出冷汗 失望
😢|crying face|哭|awful cry feels miss 伤心 哀伤 哭脸
😭|loudly crying face|放声大哭|bawling cry sad sob 哭 大哭 放声大哭的脸
😱|face screaming in fear|吓死了|epic fearful munch scared 吓死 害怕 尖叫
😖|confounded face|困惑|annoyed confused cringe distraught 困惑的脸 焦头烂额 纠结
😣|persevering face|痛苦|concentrate concentration focus headache 专注 入定 头痛
😞|disappointed face|失望|awful blame dejected fail 不高兴 失望的脸 脸
😓|downcast face with sweat|汗|close cold feels headache 冒冷汗 冒汗 冷
😩|weary face|累死了|crying fail feels hungry 疲倦 疲劳 疲惫
😫|tired face|累|cost feels nap sad 倦容 疲倦 疲劳
🥱|yawning face|打呵欠|bedtime bored goodnight nap 呵欠 哈欠 困
😤|face with steam from nose|傲慢|anger angry feels fume 不爽 愤怒 气炸了
😡|enraged face|怒火中烧|anger angry feels mad 发火 发飙 怒
😠|angry face|生气|anger blame feels frustrated 不爽 不高兴 怒
🤬|face with symbols on mouth|嘴上有符号的脸|censor cursing cussing mad 不爽 发誓 咒骂
😈|smiling face with horns|恶魔微笑|demon devil evil fairy 幻想 微笑 犄角
👿|angry face with horns|生气的恶魔|demon devil evil fairy 带角的怒容 幻想 恶魔
💀|skull|头骨|body dead death face 妖怪 怪兽 死亡
☠️|skull and crossbones|骷髅|bone dead death face 交叉股骨 头骨 妖怪
💩|pile of poo|大便|bs comic doo dung 好臭 屎 怪物
🤡|clown face|小丑脸|小丑 脸
👹|ogre|食人魔|creature devil face fairy 吓人 妖怪 幻想
👺|goblin|小妖精|angry creature face fairy 妖怪 幻想 怪物
👻|ghost|鬼|boo creature excited face 万圣节 妖怪 幻想
👽️|alien|外星人|creature extraterrestrial face fairy ufo 外太空 外星
👾|alien monster|外星怪物|creature extraterrestrial face fairy ufo 外星 外星人
🤖|robot|机器人|face monster 怪物 脸
😺|grinning cat|大笑的猫|animal face mouth open 哈哈 大笑的猫脸 猫脸
😸|grinning cat with smiling eyes|微笑的猫|animal eye face grin 呵呵 微笑的猫脸 猫脸
😹|cat with tears of joy|笑出眼泪的猫|animal face laugh laughing 喜极而泣 快乐 猫脸
😻|smiling cat with heart-eyes|花痴的猫|animal eye face heart wc 喜欢 心
😼|cat with wry smile|奸笑的猫|animal face ironic 嘲讽笑容 奸笑 奸笑的猫脸
😽|kissing cat|亲亲猫|animal closed eye eyes 亲亲 吻 猫脸
🙀|weary cat|疲倦的猫|animal face oh surprised 惊讶 猫脸 疲倦
😿|crying cat|哭泣的猫|animal cry face sad 哭 哭泣的猫脸 泪
😾|pouting cat|生气的猫|animal face 猫脸 生气 生气的猫脸
🙈|see-no-evil monkey|非礼勿视|embarrassed evil face forbidden 不许看 别看 尴尬
🙉|hear-no-evil monkey|非礼勿听|animal ears evil face 嘘 堵上耳朵 堵耳
🙊|speak-no-evil monkey|非礼勿言|animal evil face forbidden 不许说 捂上嘴巴 捂嘴
💌|love letter|情书|heart mail romance valentine 信 心 邮件
💘|heart with arrow|心中箭了|143 adorbs cupid date 一箭穿心 丘比特 我爱你
💝|heart with ribbon|系有缎带的心|143 anniversary emotion ily 我爱你 爱的礼物 绑丝带的心
💖|sparkling heart|闪亮的心|143 emotion excited good 我爱你 激动 红心
💗|growing heart|搏动的心|143 emotion excited heartpulse 亲亲 吻 我爱你
💓|beating heart|心跳|143 cardio emotion heartbeat 心动 我爱你 爱
💞|revolving hearts|舞动的心|143 adorbs anniversary emotion 我爱你 旋转 涌动
💕|two hearts|两颗心|143 anniversary date dating 我爱你 爱情
💟|heart decoration|心型装饰|143 emotion hearth purple 心 我爱你 装饰
❣️|heart exclamation|心叹号|heavy mark punctuation 叹号 心动 标点符号
💔|broken heart|心碎|break crushed emotion heartbroken 伤心
❤️|red heart|红心|emotion love 心 爱
🧡|orange heart|橙心|143 橘心 橘色 橘色的心
💛|yellow heart|黄心|143 cardiac emotion ily 我爱你 黄
💚|green heart|绿心|143 emotion ily love 我爱你 绿
💙|blue heart|蓝心|143 emotion ily love 我爱你 蓝
💜|purple heart|紫心|143 bestest emotion ily 我爱你 紫
🤎|brown heart|棕心|143 心 心形 棕
🖤|black heart|黑心|evil wicked 心 邪恶 黑
🤍|white heart|白心|143 心 心形 爱心
💋|kiss mark|唇印|dating emotion heart kissing 亲吻 吻 唇
💯|hundred points|一百分|100 a+ agree clearly 100 满分 百分百
💢|anger symbol|怒|angry comic mad upset 火大 生气 青筋
💥|collision|爆炸|bomb boom collide comic 撞 旺 炸
💫|dizzy|头晕|comic shining shooting star 头晕目眩 星星 流星
💦|sweat droplets|汗滴|comic drip droplet drops 喷溅 小水滴 小水珠
💨|dashing away|尾气|cloud comic dash fart 扬尘而去 放屁 烟
🕳️|hole|洞|井盖 坑 陷阱
💬|speech balloon|话语气泡|bubble comic dialog message 发言 对话框 气泡
👁️‍🗨️|eye in speech bubble|眼睛对话框|balloon witness 对话框 目擊 眼睛
🗨️|left speech bubble|朝左的话语气泡|balloon dialog 对话框 话语
🗯️|right anger bubble|愤怒话语气泡|angry balloon mad 右倾愤怒对话框 对话框 愤怒
💭|thought balloon|内心活动气泡|bubble cartoon cloud comic 对话框 思想 思想活动
💤|zzz|睡着|comic good goodnight night 呼噜 困了 想睡` },
  { name: gettext("People and hands"), rows: `
👋|waving hand|挥手|bye cya g2g greetings 你好 再见 嗨
🤚|raised back of hand|立起的手背|backhand 举起 举起手背 手
🖐️|hand with fingers splayed|手掌|finger raised stop 举起张开的手掌 击掌 布
✋️|raised hand|举起手|5 five high stop 举手 举起的手 五指
🖖|vulcan salute|瓦肯举手礼|finger hand hands 手 敬礼 斯波克
👌|OK hand|OK|awesome bet dope fleek ok ok 手势 可以
🤌|pinched fingers|捏手指|gesture hand hold huh 为什么 你到底在说什么 匮乏
🤏|pinching hand|捏合的手势|amount bit fingers little 一点 一点点 小
✌️|victory hand|胜利手势|peace v v 和平 成功
🤞|crossed fingers|交叉的手指|cross finger hand luck 交叉 幸运 手
🤟|love-you gesture|爱你的手势|fingers hand ily love 三种 我爱你 手
🤘|sign of the horns|摇滚|finger hand rock-on 手 摇滚精神 燥起来
🤙|call me hand|给我打电话|hang loose shaka 手 打电话给我 电话
👈️|backhand index pointing left|反手食指向左指|finger hand point 反手 向左指 手
👉️|backhand index pointing right|反手食指向右指|finger hand point 反手 向右指 手
👆️|backhand index pointing up|反手食指向上指|finger hand point 反手 向上指 手
👇️|backhand index pointing down|反手食指向下指|finger hand point 反手 向下指 手
☝️|index pointing up|食指向上指|finger hand point this 向上指 手 指上
👍️|thumbs up|拇指向上|+1 good hand like 同意 好 手
👎️|thumbs down|拇指向下|-1 bad dislike good 不赞成 反对 否决
✊️|raised fist|举起拳头|clenched hand punch solidarity 举拳 团结 手
👊|oncoming fist|出拳|absolutely agree boom bro 完全同意 手 打
🤛|left-facing fist|朝左的拳头|leftwards 拳头 朝左
🤜|right-facing fist|朝右的拳头|rightwards 手 拳头 朝右
👏|clapping hands|鼓掌|applause approval awesome clap 干得好 恭喜 拍手
🙌|raising hands|举双手|celebration gesture hand hooray 举手 击掌 双手
👐|open hands|张开双手|hand hug jazz swerve 十 双手 摊手
🤲|palms up together|掌心向上托起|cupped dua hands pray 双掌 双掌向上 希望
🤝|handshake|握手|agreement deal hand meeting 一言为定 会面 协议
🙏|folded hands|双手合十|appreciate ask beg blessed 合掌 感恩 拜托
✍️|writing hand|写字|write 写 手 笔
💅|nail polish|涂指甲油|bored care cosmetics done 修指甲 忙完了 护手
🤳|selfie|自拍|camera phone 手机 相机
💪|flexed biceps|肌肉|arm beast bench bodybuilder 二头肌 健身房 强壮
🦾|mechanical arm|机械手臂|accessibility prosthetic 义肢 手臂 无障碍
🦿|mechanical leg|机械腿|accessibility prosthetic 义肢 无障碍 腿
🦵|leg|腿|bent foot kick knee 弯腿 肢体 脚
🦶|foot|脚|ankle feet kick stomp 足踝 踏 踝
👂️|ear|耳朵|body ears hear hearing 仔细听 听 耳
🦻|ear with hearing aid|戴助听器的耳朵|accessibility hard 助听器 听力障碍 听障
👃|nose|鼻子|body noses nosey odor 嗅 气味 闻
🧠|brain|脑|intelligent smart 大脑 头脑 智慧
🫀|anatomical heart|心脏器官|beat cardiology heartbeat organ 中心 器官 心率
🫁|lungs|肺|breath breathe exhalation inhalation 吸气 呼吸 呼吸作用
🦷|tooth|牙齿|dentist pearly teeth white 牙医 牙科医生 珍珠色
🦴|bone|骨头|bones dog skeleton wishbone 叉骨 狗 骨骼
👀|eyes|双眼|body eye face googly 看 眼睛 窥视
👁️|eye|眼睛|1 body one 单眼 看 眼
👅|tongue|舌头|body lick slurp 啧啧地喝 舌 舔
👄|mouth|嘴|beauty body kiss kissing 口 口红 吻
👶|baby|小宝贝|babies children goo infant 孩子 宝宝 小毛头
🧒|child|儿童|bright-eyed grandchild kid young 中性 小孩 年轻人
🧑|person|成人|adult 中性 性别中立 性格不明
👱|person: blond hair|金色头发的人|blond-haired human person 人 脸 金发
🧔|person: beard|有胡子的人|bearded person whiskers 人 大胡子 男
🧑‍🦰|person: red hair|成人: 红发|adult person red hair 中性 性别中立 性格不明
🧑‍🦱|person: curly hair|成人: 卷发|adult curly hair person 中性 卷发 性别中立
🧑‍🦳|person: white hair|成人: 白发|adult person white hair 中性 性别中立 性格不明
🧑‍🦲|person: bald|成人: 秃顶|adult person 中性 性别中立 性格不明
🧓|older person|老年人|adult elderly grandparent old 中性 性别不明 性别中性
🙍|person frowning|皱眉|annoyed disappointed disgruntled disturbed 不开心 不满 不爽
🙎|person pouting|撅嘴|disappointed downtrodden frown grimace 不开心 不高兴 低落
🙅|person gesturing no|禁止手势|forbidden gesture hand no 不允许 不可能 不行
🙆|person gesturing ok|OK手势|exercise gesture hand ok ok ok手势 同意
💁|person tipping hand|前台|fetch flick flip gossip 介绍 伸手给小费 信息
🙋|person raising hand|举手|gesture here know me 举手的人 嗨 开心
🧏|deaf person|失聪者|accessibility ear gesture hear 听力 听力障碍 听障
🙇|person bowing|鞠躬|apology ask beg bow 不好意思 冥想 姿势
🤦|person facepalming|捂脸|again bewilder disbelief exasperation 人 尴尬 恼怒` },
  { name: gettext("Animals and nature"), rows: `
🐵|monkey face|猴头|animal banana 动物 猴 猴子
🐒|monkey|猴子|animal banana 猴
🦍|gorilla|大猩猩|animal 动物
🦧|orangutan|红毛猩猩|animal ape monkey 动物 猩猩 猴
🐶|dog face|狗脸|adorbs animal pet puppies 宠物 小狗 汪星人
🐕️|dog|狗|animal animals dogs pet 动物 宠物 小狗
🦮|guide dog|导盲犬|accessibility animal blind 指引 无障碍 盲
🐕‍🦺|service dog|服务犬|accessibility animal assistance 工作犬 无障碍 服务
🐩|poodle|贵宾犬|animal dog fluffy 卷毛狗 毛茸茸 狗
🐺|wolf|狼|animal face 头 狼头 脸
🦊|fox|狐狸|animal face 动物 头 狐狸的脸
🦝|raccoon|浣熊|animal curious sly 动物 好奇 淘气
🐱|cat face|猫脸|animal kitten kitty pet 宠物 猫 猫咪
🐈️|cat|猫|animal animals cats kitten 宠物 小猫
🐈‍⬛|black cat|黑猫|animal feline halloween meow 万圣节 不吉利 动物
🦁|lion|狮子|alpha animal face leo 狮子头 狮子座 脸
🐯|tiger face|老虎头|animal big cat predator 森林之王 老虎 脸
🐅|tiger|老虎|animal big cat predator 动物园 虎
🐆|leopard|豹子|animal big cat predator 动物 猎豹 豹
🐴|horse face|马头|animal dressage equine farm 盛装舞步 马
🐎|horse|马|animal equestrian farm racehorse 动物 比赛 赛马
🦄|unicorn|独角兽|face 头 独角兽头 脸
🦓|zebra|斑马|animal stripe 条纹
🦌|deer|鹿|animal 动物
🦬|bison|大野牛|animal buffalo herd wisent 动物 欧洲野牛 水牛
🐮|cow face|奶牛头|animal farm milk moo 乳牛 奶牛 母牛
🐂|ox|公牛|animal animals bull farm 牛 金牛座 黄道十二宫
🐃|water buffalo|水牛|animal zoo
🐄|cow|奶牛|animal animals farm milk 乳牛 牛
🐷|pig face|猪头|animal bacon farm pork 八戒 猪 脸
🐖|pig|猪|animal bacon farm pork 培根 猪肉
🐗|boar|野猪|animal pig 动物 猪
🐽|pig nose|猪鼻子|animal face farm smell 猪 脸 闻
🐏|ram|公羊|animal aries horns male 白羊座 羊 雄性
🐑|ewe|母羊|animal baa farm female 咩 毛茸茸 绵羊
🐐|goat|山羊|animal capricorn farm milk 摩羯座 黄道十二宫
🐪|camel|骆驼|animal desert dromedary hump 单峰 单峰驼 沙漠
🐫|two-hump camel|双峰骆驼|animal bactrian desert hump 双峰 沙漠 骆驼
🦙|llama|美洲鸵|alpaca animal guanaco vicuña 动物 原驼 小羊驼
🦒|giraffe|长颈鹿|animal spots 斑点
🐘|elephant|大象|animal 动物 象
🦣|mammoth|猛犸|animal extinction large tusk 动物 大型 有绒毛的
🦏|rhinoceros|犀牛|animal 动物
🦛|hippopotamus|河马|animal hippo 动物
🐭|mouse face|老鼠头|animal 鼠
🐁|mouse|老鼠|animal animals 耗子 鼠
🐀|rat|耗子|animal 鼠
🐹|hamster|仓鼠|animal face pet 仓鼠头 啮齿 头
🐰|rabbit face|兔子头|animal bunny pet 兔 兔宝宝 宠物
🐇|rabbit|兔子|animal bunny pet 兔 动物
🐿️|chipmunk|松鼠|animal squirrel 花栗鼠 金花鼠
🦫|beaver|海狸|animal dam teeth 动物 大板牙 母畜
🦔|hedgehog|刺猬|animal spiny 多刺
🦇|bat|蝙蝠|animal vampire 吸血鬼
🐻|bear|熊|animal face grizzly growl 低吼 头 灰熊
🐻‍❄️|polar bear|北极熊|animal arctic white 北极 熊 白色
🐨|koala|考拉|animal australia bear down 动物 有袋类动物 树袋熊
🐼|panda|熊猫|animal bamboo face 头 熊猫脸 猫熊
🦥|sloth|树懒|lazy slow 慢 懒 爬树
🦦|otter|水獭|animal fishing playful 动物 好玩 捕鱼
🦨|skunk|臭鼬|animal stink 熏 臭 鼬
🦘|kangaroo|袋鼠|animal joey jump marsupial 动物 小袋鼠 有袋目动物
🦡|badger|獾|animal honey pester 动物 打扰 纠缠
🐾|paw prints|爪印|feet paws print 爪 爪子 足迹
🦃|turkey|火鸡|bird gobble thanksgiving 感恩节
🐔|chicken|鸡|animal bird ornithology 动物
🐓|rooster|公鸡|animal bird ornithology 动物 鸡
🐣|hatching chick|小鸡破壳|animal baby bird egg 小鸡 破壳
🐤|baby chick|小鸡|animal bird ornithology 鸡
🐥|front-facing baby chick|正面朝向的小鸡|animal bird newborn ornithology 小鸡
🐦️|bird|鸟|animal ornithology 动物 鸟类学
🐧|penguin|企鹅|animal antarctica bird ornithology 南极 南极洲
🕊️|dove|鸽|bird fly ornithology peace 和平 和平象征 飞翔
🦅|eagle|鹰|animal bird ornithology 老鹰 鸟
🦆|duck|鸭子|animal bird ornithology 鸟 鸭
🦢|swan|天鹅|animal bird cygnet duckling 丑小鸭 动物 小天鹅
🦉|owl|猫头鹰|animal bird ornithology wise 睿智 鸟
🦤|dodo|渡渡鸟|animal bird extinction large 动物 灭绝 鸟
🪶|feather|羽毛|bird flight light plumage 轻 飞 鸟
🦩|flamingo|火烈鸟|animal bird flamboyant ornithology 华丽 热带 红鹳
🦚|peacock|孔雀|animal bird colorful ornithology 卖弄 招摇 色彩缤纷
🦜|parrot|鹦鹉|animal bird ornithology pirate 剽窃 模仿 说话
🐸|frog|青蛙|animal face 动物 头 脸
🐊|crocodile|鳄鱼|animal zoo
🐢|turtle|龟|animal terrapin tortoise 乌龟 海龟 陆龟
🦎|lizard|蜥蜴|animal reptile 爬行动物
🐍|snake|蛇|animal bearer ophiuchus serpent 持票人 狡猾的人 蛇夫座
🐲|dragon face|龙头|animal fairy fairytale tale 神话 童话 龙
🐉|dragon|龙|animal fairy fairytale knights 中国 权力的游戏
🦕|sauropod|蜥蜴类|brachiosaurus brontosaurus dinosaur diplodocus 万龙属 恐龙 梁龙
🦖|t-rex|霸王龙|dinosaur rex t t-rex 恐龙 暴龙 暴龙君主
🐳|spouting whale|喷水的鲸|animal beach face ocean 喷水 鲸
🐋|whale|鲸鱼|animal beach ocean
🐬|dolphin|海豚|animal beach flipper ocean 鸭脚板
🦭|seal|海豹|animal lion ocean sea 动物 海洋 海狮
🐟️|fish|鱼|animal dinner fishes fishing 双鱼座 星座 黄道十二宫
🐠|tropical fish|热带鱼|animal fishes 热带 鱼
🐡|blowfish|河豚|animal fish 鱼
🦈|shark|鲨鱼|animal fish 鱼 鲨
🐙|octopus|章鱼|animal creature ocean 八爪 鱼
🐚|spiral shell|海螺|animal beach conch sea 螺 螺旋
🦀|crab|蟹|cancer zodiac 巨蟹座 螃蟹 黄道十二宫
🦞|lobster|龙虾|animal bisque claws seafood 浓汤 海鲜 红龙虾
🦐|shrimp|虾|food shellfish small 甲壳 贝类水产 食物
🦑|squid|乌贼|animal food mollusk 墨鱼 软体动物 食物
🦪|oyster|牡蛎|diving pearl 海鲜 珍珠 生蚝
🐌|snail|蜗牛|animal escargot garden nature 法国蜗牛
🦋|butterfly|蝴蝶|insect pretty 昆虫 漂亮 美丽
🐛|bug|毛毛虫|animal garden insect 昆虫 毛虫
🐜|ant|蚂蚁|animal garden insect
🐝|honeybee|蜜蜂|animal bee bumblebee honey 勤劳 昆虫 蜂蜜
🪲|beetle|甲虫|animal bug insect 动物 昆虫 虫子
🐞|lady beetle|瓢虫|animal garden insect ladybird 昆虫 母
🦗|cricket|蟋蟀|animal bug grasshopper insect 昆虫 蚱蜢 蛐蛐
🪳|cockroach|蟑螂|animal insect pest roach 动物 害虫 小强
🕷️|spider|蜘蛛|animal insect 昆虫
🕸️|spider web|蜘蛛网|蛛网 蜘蛛
🦂|scorpion|蝎子|scorpio scorpius zodiac 天蝎宫 天蝎座 黄道十二宫
🦟|mosquito|蚊子|bite disease fever insect 发烧 发热 昆虫
🪰|fly|苍蝇|animal disease insect maggot 动物 害虫 疾病
🪱|worm|蠕虫|animal annelid earthworm parasite 动物 寄生虫 环节动物
🦠|microbe|细菌|amoeba bacteria science virus 变形虫 病毒 科学
💐|bouquet|花束|anniversary birthday date flower 周年纪念 生日 罗曼史
🌸|cherry blossom|樱花|flower plant spring springtime 花
💮|white flower|白花|花
🏵️|rosette|圆形花饰|plant 光荣花 植物 花
🌹|rose|玫瑰|beauty elegant flower love 优雅 红玫瑰 花
🥀|wilted flower|枯萎的花|dying 凋谢 枯萎 花
🌺|hibiscus|芙蓉|flower plant 木槿 植物 花
🌻|sunflower|向日葵|flower outdoors plant sun 太阳 太阳花 花
🌼|blossom|开花|buttercup dandelion flower plant 花 蒲公英
🌷|tulip|郁金香|blossom flower growth plant 开花 花
🌱|seedling|幼苗|plant sapling sprout young 发芽 芽 苗
🪴|potted plant|盆栽植物|decor grow house nurturing 培育 房子 枯燥
🌲|evergreen tree|松树|christmas forest pine 圣诞树 常青树 树
🌳|deciduous tree|落叶树|forest green habitat shedding 树 落叶 落叶植物
🌴|palm tree|棕榈树|beach plant tropical 树 棕榈 热带
🌵|cactus|仙人掌|desert drought nature plant 干旱 植物 沙漠
🌾|sheaf of rice|稻子|ear grain grains plant 稻 米 粮食
🌿|herb|药草|leaf plant 草药 香草
☘️|shamrock|三叶草|irish plant 爱尔兰 苜蓿 酢浆草
🍀|four leaf clover|四叶草|4 four-leaf irish lucky 幸运 爱尔兰的
🍁|maple leaf|枫叶|falling 树叶 秋叶 落叶
🍂|fallen leaf|落叶|autumn fall falling 叶 秋
🍃|leaf fluttering in wind|风吹叶落|blow flutter 叶子 树叶 随风飘舞
🍄|mushroom|蘑菇|fungus toadstool 毒蕈 真菌` },
  { name: gettext("Food and drink"), rows: `
🍇|grapes|葡萄|dionysus fruit grape 水果
🍈|melon|甜瓜|cantaloupe fruit 哈密瓜 水果 蜜瓜
🍉|watermelon|西瓜|fruit 水果
🍊|tangerine|橘子|c citrus fruit nectarine 柑桔 柑橘 桔子
🍋|lemon|柠檬|citrus fruit sour 柑橘 水果 酸
🍌|banana|香蕉|fruit potassium 水果 钾
🍍|pineapple|菠萝|colada fruit pina tropical 水果 热带
🥭|mango|芒果|food fruit tropical 水果 热带 食物
🍎|red apple|红苹果|diet food fruit health 健康 水果 熟
🍏|green apple|青苹果|fruit 水果 苹果 青
🍐|pear|梨|fruit 水果
🍑|peach|桃|fruit 水果
🍒|cherries|樱桃|berries cherry fruit red 水果
🍓|strawberry|草莓|berry fruit 水果 浆果
🫐|blueberries|蓝莓|berries berry bilberry blue 水果 浆果 越桔
🥝|kiwi fruit|猕猴桃|food 奇异果 水果 食物
🍅|tomato|西红柿|food fruit vegetable 水果 番茄 蔬菜
🫒|olive|橄榄|food 食物
🥥|coconut|椰子|colada palm piña 棕榈 菠萝椰子兰姆酒
🥑|avocado|鳄梨|food fruit 水果 牛油果 酪梨
🍆|eggplant|茄子|aubergine vegetable 蔬菜
🥔|potato|土豆|food vegetable 蔬菜 食物 马铃薯
🥕|carrot|胡萝卜|food vegetable 蔬菜 食物
🌽|ear of corn|玉米|crops farm maize maze 农作物 包谷 苞米
🌶️|hot pepper|红辣椒|辣 辣椒
🫑|bell pepper|灯笼椒|capsicum food vegetable 蔬菜 辣椒 青椒
🥒|cucumber|黄瓜|food pickle vegetable 泡菜 腌菜 蔬菜
🥬|leafy green|绿叶蔬菜|bok burgers cabbage choy 卷心菜 圆白菜 小白菜
🥦|broccoli|西兰花|cabbage wild 甘蓝 野生卷心菜
🧄|garlic|蒜|flavoring 佐料 大蒜 蒜头
🧅|onion|洋葱|flavoring 佐料 调味
🥜|peanuts|花生|food nut peanut vegetable 坚果 蔬菜 食物
🌰|chestnut|栗子|almond plant 杏仁
🍞|bread|面包|carbs food grain loaf 一条面包 全麦面包 小麦
🥐|croissant|羊角面包|bread breakfast crescent food 新月形面包 法式 牛角面包
🥖|baguette bread|法式长棍面包|food french 法式 法式长条面包 面包
🫓|flatbread|扁面包|arepa bread food gordita 圆盘状烤饼 玉米饼 皮塔饼
🥨|pretzel|椒盐卷饼|convoluted twisted 弯曲 扭曲食品 盘绕
🥯|bagel|面包圈|bakery bread breakfast schmear 奶酪酱 早餐 烘烤食品
🥞|pancakes|烙饼|breakfast crêpe food hotcake 煎饼 薄煎饼 薄饼
🧇|waffle|华夫饼|breakfast indecisive iron 松饼 格子饼 点心
🧀|cheese wedge|芝士|奶酪 起司
🍖|meat on bone|排骨|带骨的肉 肉 骨
🍗|poultry leg|家禽的腿|bone chicken drumstick hungry 家禽 火鸡 饿
🥩|cut of meat|肉块|chop lambchop porkchop red 排骨 牛排 猪排
🥓|bacon|培根|breakfast food meat 烟肉 熏肉 肉
🍔|hamburger|汉堡|burger eat fast food 吃 汉堡包 速食
🍟|french fries|薯条|fast food 快餐 油炸 食物
🍕|pizza|披萨|cheese food hungry pepperoni 一片比萨 比萨 比萨饼
🌭|hot dog|热狗|frankfurter hotdog sausage 香肠
🥪|sandwich|三明治|bread 面包
🌮|taco|墨西哥卷饼|mexican 卷饼 墨西哥 墨西哥玉米卷
🌯|burrito|墨西哥玉米煎饼|mexican wrap 卷饼 墨西哥 墨西哥卷饼
🫔|tamale|墨西哥粽子|food mexican pamonha wrapped 墨西哥 墨西哥饼 巴西粽
🥙|stuffed flatbread|夹心饼|falafel food gyro kebab 大饼 夹心 沙拉三明治
🧆|falafel|炸豆丸子|chickpea meatball 中东蔬菜球 油炸鹰嘴豆饼 肉丸
🥚|egg|蛋|breakfast food 食物
🍳|cooking|煎蛋|breakfast easy egg fry 一面老一面嫩的煎蛋 做菜 只煎一面老
🥘|shallow pan of food|装有食物的浅底锅|casserole paella 平底锅 浅底 炖菜
🍲|pot of food|一锅食物|soup stew 炖菜 锅 食物
🫕|fondue|奶酪火锅|cheese chocolate food melted 奶酪 奶酪锅 巧克力
🥣|bowl with spoon|碗勺|breakfast cereal congee oatmeal 早餐 燕麦 燕麦粥
🥗|green salad|绿色沙拉|food 沙拉 绿色蔬菜 食物
🍿|popcorn|爆米花|corn movie pop 看电影
🧈|butter|黄油|dairy 乳制品 牛奶
🧂|salt|盐|condiment flavor mad salty 佐料瓶 味道 咸
🥫|canned food|罐头食品|can 罐头
🍱|bento box|盒饭|food 便当 便当盒 食物
🍘|rice cracker|米饼|food 米 米果 食物
🍙|rice ball|饭团|food japanese 日式饭团 日本 米
🍚|cooked rice|米饭|food 主食 米 食物
🍛|curry rice|咖喱饭|food 咖喱 食物 饭
🍜|steaming bowl|面条|chopsticks food noodle pho 拉面 河粉 热气腾腾
🍝|spaghetti|意粉|food meatballs pasta restaurant 意大利面 意面 肉丸
🍠|roasted sweet potato|烤红薯|food 地瓜 烤地瓜 红薯
🍢|oden|关东煮|food kebab restaurant seafood 串 卡博 海鲜
🍣|sushi|寿司|food 食物
🍤|fried shrimp|天妇罗|prawn tempura 对虾 油炸 炸虾
🍥|fish cake with swirl|鱼板|food pastry restaurant 鱼 鱼饼
🥮|moon cake|月饼|autumn festival yuèbǐng 中秋节 秋 秋天
🍡|dango|团子|dessert japanese skewer stick 串 和果子 日本
🥟|dumpling|饺子|empanada gyōza jiaozi pierogi 恩潘纳达 水饺 波兰饺子
🥠|fortune cookie|幸运饼干|prophecy 签餅 算命 预言
🥡|takeout box|外卖盒|chopsticks delivery food oyster 中式外卖 外卖 外卖包装
🍦|soft ice cream|圆筒冰激凌|dessert food icecream restaurant 冰淇淋 圆筒冰淇淋 甜
🍧|shaved ice|刨冰|dessert restaurant sweet 冰 冰沙 沙冰
🍨|ice cream|冰淇淋|dessert food restaurant sweet 冰 冰激凌 奶油
🍩|doughnut|甜甜圈|breakfast dessert donut food 甜 甜点 食物
🍪|cookie|饼干|chip chocolate dessert sweet 巧克力片 曲奇 曲奇饼
🎂|birthday cake|生日蛋糕|bday celebration dessert happy 庆祝 甜 甜点
🍰|shortcake|水果蛋糕|cake dessert pastry slice 一片蛋糕 奶油 奶油酥饼
🧁|cupcake|纸杯蛋糕|bakery dessert sprinkles sugar 烘焙食品 甜点 请客
🥧|pie|派|apple filling fruit meat 一片派 南瓜派 水果派
🍫|chocolate bar|巧克力|candy dessert halloween sweet 万圣节 巧克力棒 甜
🍬|candy|糖|cavities dessert halloween restaurant 万圣节 嗜甜食 爱吃甜食
🍭|lollipop|棒棒糖|candy dessert food restaurant 果子 甜 糖
🍮|custard|奶黄|dessert pudding sweet 卡士达 甜点 蛋奶冻
🍯|honey pot|蜂蜜|barrel bear food honeypot 小熊维尼 桶 甜
🍼|baby bottle|奶瓶|babies birth born drink 奶 婴儿 新生儿
🥛|glass of milk|一杯奶|drink 喝 奶 杯
☕️|hot beverage|热饮|cafe caffeine chai coffee 咖啡 早晨 星巴克
🫖|teapot|茶壶|brew drink food pot 冲泡 壶 茶
🍵|teacup without handle|热茶|beverage cup drink oolong 乌龙茶 无柄茶杯 杯
🍶|sake|清酒|bar beverage bottle cup 喝酒 清酒杯 清酒瓶
🍾|bottle with popping cork|开香槟|bar drink 喝酒 庆祝 木塞
🍷|wine glass|葡萄酒|alcohol bar beverage booze 俱乐部 喝酒 酒
🍸️|cocktail glass|鸡尾酒|alcohol bar booze club 俱乐部 喝酒 杯
🍹|tropical drink|热带水果饮料|alcohol bar booze club 俱乐部 喝酒 热带饮料
🍺|beer mug|啤酒|alcohol ale bar booze 啤酒节 喝酒 杯
🍻|clinking beer mugs|干杯|alcohol bar booze bottoms 啤酒 喝酒 碰杯
🥂|clinking glasses|碰杯|celebrate clink drink glass 喝 干杯 庆祝
🥃|tumbler glass|平底杯|liquor scotch shot whiskey 一杯威士忌 威士忌 平底无脚杯
🥤|cup with straw|带吸管杯|drink juice malt soda 带吸管的杯子 果汁 水
🧋|bubble tea|珍珠奶茶|boba food milk pearl 奶茶 泡泡 牛奶
🧃|beverage box|饮料盒|juice straw sweet 吸管 果汁 果汁盒
🧉|mate|马黛茶|drink 茶 饮料
🧊|ice|冰块|cold cube iceberg 冰 冰冷 冰山
🥢|chopsticks|筷子|hashi jeotgarak kuaizi 箸
🍽️|fork and knife with plate|餐具|cooking dinner eat 做菜 刀 刀叉与盘
🍴|fork and knife|刀叉|breakfast breaky cooking cutlery 中餐 刀 午餐
🥄|spoon|匙|eat tableware 勺 勺子 匙子
🔪|kitchen knife|菜刀|chef cooking hocho tool 主厨 刀 武器
🏺|amphora|双耳瓶|aquarius cooking drink jug 壶 水瓶 罐` },
  { name: gettext("Activities"), rows: `
🎃|jack-o-lantern|南瓜灯|celebration halloween jack lantern 万圣节 南瓜 庆祝
🎄|christmas tree|圣诞树|celebration christmas 圣诞 庆祝 树
🎆|fireworks|焰火|boom celebration entertainment yolo 庆典 庆祝 炮竹
🎇|sparkler|烟花|boom celebration fireworks sparkle 庆祝 火花 烟火
🧨|firecracker|爆竹|dynamite explosive fire fireworks 光亮 火花 炸药
✨️|sparkles|闪亮|* magic sparkle star 星星 火花 闪光
🎈|balloon|气球|birthday celebrate celebration 庆祝 生日 节日
🎉|party popper|拉炮彩带|awesome birthday celebrate celebration 兴奋 呱呱叫 庆祝
🎊|confetti ball|五彩纸屑球|celebrate celebration party woohoo 五彩纸屑 庆祝 彩色纸屑
🎋|tanabata tree|七夕树|banner celebration japanese 七夕 庆祝 日本
🎍|pine decoration|门松|bamboo celebration japanese plant 庆祝 日本 松树
🎎|japanese dolls|日本人形|celebration doll festival japanese 人偶 娃娃 庆祝
🎏|carp streamer|鲤鱼旗|celebration 庆祝 日本 男孩节
🎐|wind chime|风铃|bell celebration 庆祝 铃铛 风
🎑|moon viewing ceremony|赏月|celebration 中秋 佳节 庆祝
🧧|red envelope|红包|gift good hóngbāo lai 利事 利是 好运
🎀|ribbon|蝴蝶结|celebration 丝带 庆祝 缎带
🎁|wrapped gift|礼物|birthday bow box celebration 包礼物 包装 圣诞
🎗️|reminder ribbon|提示丝带|celebration 丝带 庆典 庆祝
🎟️|admission tickets|入场券|ticket 票 门票
🎫|ticket|票|admission stub 入场券 电影票 票根
🎖️|military medal|军功章|award celebration 军队 勋章 奖章
🏆️|trophy|奖杯|champion champs prize slay 冠军 奖励 奖品
🏅|sports medal|奖牌|award gold winner 获胜 运动会奖牌 运动员
🥇|1st place medal|金牌|first gold 奖牌 第一 第一名奖牌
🥈|2nd place medal|银牌|second silver 亚军 奖牌 第二
🥉|3rd place medal|铜牌|bronze third 奖牌 季军 第三
⚽️|soccer ball|足球|football futbol sport 大罗 梅西 球
⚾️|baseball|棒球|ball sport 球 运动
🥎|softball|垒球|ball glove sports underarm 手套 球 腋下
🏀|basketball|篮球|ball hoop sport 打球 球 篮筐
🏐|volleyball|排球|ball game 球 球赛
🏈|american football|美式橄榄球|ball bowl sport super 橄榄球 球
🏉|rugby football|英式橄榄球|ball sport 橄榄球 球 运动
🎾|tennis|网球|ball racquet sport 球 球拍 网球拍
🥏|flying disc|飞盘|ultimate 圆盘 极限 极限运动
🎳|bowling|保龄球|ball game sport strike 全倒 球 运动
🏏|cricket game|板球|ball bat 球 球拍
🏑|field hockey|曲棍球|ball game stick 球 球棍 球赛
🏒|ice hockey|冰球|game puck stick 冰球杆 球 球棍
🥍|lacrosse|袋棍球|ball goal sports stick 得分 球 球棍
🏓|ping pong|乒乓球|ball bat game paddle 乒乓 桌球 比赛
🏸|badminton|羽毛球|birdie game racquet shuttlecock 球拍 羽球
🥊|boxing glove|拳击手套|手套 拳击
🥋|martial arts uniform|练武服|judo karate taekwondo 制服 柔道 武术
🥅|goal net|球门|球网
⛳️|flag in hole|高尔夫球洞|golf sport 果岭 果岭旗 球洞
⛸️|ice skate|滑冰|skating 冰刀 溜冰
🎣|fishing pole|钓鱼竿|entertainment fish sport 钓竿 鱼杆
🤿|diving mask|潜水面罩|scuba snorkeling 浮潜 深潜 潜水
🎽|running shirt|运动背心|athletics sash 上衣 跑步 运动服
🎿|skis|滑雪|ski snow sport 运动 雪
🛷|sled|雪橇|luge sledge sleigh snow 下雪 乘雪橇 平底雪橇
🥌|curling stone|冰壶|game rock 冰上溜石 比赛 游戏
🎯|bullseye|正中靶心的飞镖|bull dart direct entertainment 命中 标的 直接命中
🪀|yo-yo|悠悠球|fluctuate toy 上下起落 溜溜球 犹豫不决
🪁|kite|风筝|fly soar 翱翔 飞翔
🔫|water pistol|水枪|gun handgun revolver tool 工具 左轮 手枪
🎱|pool 8 ball|台球|8ball billiard eight game 8 球制桌球 8号球 台球台
🔮|crystal ball|水晶球|fairy fairytale fantasy fortune 命运 工具 梦幻
🪄|magic wand|魔棒|magician witch wizard 女巫 巫师 魔术
🎮️|video game|游戏手柄|controller entertainment 手柄 游戏 游戏控制器
🕹️|joystick|游戏操控杆|game video videogame 操控杆 游戏 电子游戏
🎰|slot machine|老虎机|casino gamble gambling game 吃角子老虎 游戏 角子机
🎲|game die|骰子|dice entertainment 掷骰子 色子 骰子游戏
🧩|puzzle piece|拼图|clue interlocking jigsaw 图片 智力游戏 相扣
🧸|teddy bear|泰迪熊|plaything plush stuffed toy 填充 毛绒玩具 熊
🪅|piñata|彩罐|candy celebrate celebration cinco 五月节 墨西哥 庆祝
🪆|nesting dolls|套娃|babooshka baboushka babushka doll 俄罗斯套娃 俄罗斯娃娃 娃娃
♠️|spade suit|黑桃|card game 扑克 牌 葵扇
♥️|heart suit|红桃|card emotion game hearts 扑克 牌 红心
♦️|diamond suit|方片|card game 扑克 方块 牌
♣️|club suit|梅花|card clubs game 扑克 梅花花色 牌
♟️|chess pawn|兵|dupe expendable 受骗者 国际象棋 牺牲品
🃏|joker|大小王|card game wildcard 大王 小丑 小王
🀄️|mahjong red dragon|红中|game 方城之战 牌局 麻将
🎴|flower playing cards|花札|card game japanese 卡牌 日本 游戏
🎭️|performing arts|表演艺术|actor actress art entertainment 剧院 女演员 戏剧
🖼️|framed picture|带框的画|art frame museum painting 加框的照片 博物馆 框
🎨|artist palette|调色盘|art artsy arty colorful 创意 博物馆 多种色彩
🧵|thread|线|needle sewing spool string 卷盘 线轴 绳子
🪡|sewing needle|缝合针|embroidery sew stitches sutures 线 绣花针 缝合
🧶|yarn|毛线|ball crochet knit 毛线球 线球 编织
🪢|knot|结|cord rope tangled tie 八字结 打结 绳子` },
  { name: gettext("Travel and places"), rows: `
🌍️|globe showing europe-africa|地球上的欧洲非洲|africa earth europe europe-africa 世界 地球 欧洲
🌎️|globe showing americas|地球上的美洲|americas earth world 世界 全球 地球
🌏️|globe showing asia-australia|地球上的亚洲澳洲|asia asia-australia australia earth 世界 亚洲 亚澳
🌐|globe with meridians|带经纬线的地球|earth internet web world 世界 全球 地球
🗺️|world map|世界地图|世界 地图
🗾|map of japan|日本地图|japan 地图 日本
🧭|compass|指南针|direction magnetic navigation orienteering 定向 导航 方向
🏔️|snow-capped mountain|雪山|cold snow 冷 山 泠
⛰️|mountain|山|峰
🌋|volcano|火山|eruption mountain nature 喷发 大自然 山
🗻|mount fuji|富士山|mountain nature 大自然 山
🏕️|camping|露营|帐篷
🏖️|beach with umbrella|沙滩伞|伞 有伞的海滩 沙滩
🏜️|desert|沙漠|荒漠
🏝️|desert island|无人荒岛|岛 沙滩孤岛 沙漠
🏞️|national park|国家公园|公园 自然 风景
🏟️|stadium|体育馆|竞技场
🧱|brick|砖|bricks clay mortar wall 墙 砂浆 黏土
🪨|rock|岩石|boulder heavy solid stone 固体 坚不可摧 巨石
🪵|wood|木头|log lumber timber 原木 圆木 木材
🏘️|houses|房屋建筑|house 住宅 小区 房
🏚️|derelict house|废墟|home 废屋 荒宅 荒废
🏠️|house|房子|building country heart home 乡村家园 住家 家
🏡|house with garden|别墅|building country heart home 乡村家园 住家 家
🏫|school|学校|building 建筑 教学楼
🗼|tokyo tower|东京塔|tokyo 东京 塔
🗽|statue of liberty|自由女神像|liberty new ny nyc 塑像 纽约 自由
⛪️|church|教堂|bless chapel christian cross 基督 基督教 宗教
⛲️|fountain|喷泉|
⛺️|tent|帐篷|camping 露营
🌁|foggy|有雾|fog 雾 霾
🌃|night with stars|夜晚|star 星空 晚上
🏙️|cityscape|城市风光|city 城市 都市 都市景观
🌄|sunrise over mountains|山顶日出|morning sun 太阳 山 日出
🌅|sunrise|日出|morning nature sun 大自然 太阳 早晨
🌆|cityscape at dusk|城市黄昏|building city evening landscape 城市 夜晚 日落
🌇|sunset|日落|building dusk sun 夕阳
🌉|bridge at night|夜幕下的桥|夜幕 晚上 桥
♨️|hot springs|温泉|hotsprings steaming 水 泉 热气腾腾
🎠|carousel horse|旋转木马|entertainment 木马 游乐园
🎡|ferris wheel|摩天轮|amusement park theme 游乐园
🎢|roller coaster|过山车|amusement park theme 游乐园
💈|barber pole|理发店|cut fresh haircut shave 旋转 柱 理发
🎪|circus tent|马戏团帐篷|帐篷 马戏团
🚂|locomotive|蒸汽火车|caboose engine railway steam 守车 旅行 火车
🚄|high-speed train|高速列车|railway shinkansen speed 动车 新干线 火车
🚅|bullet train|子弹头高速列车|high-speed nose railway shinkansen 动车 子弹列车 子弹头
🚆|train|火车|arrived choo railway 到站 呜呜 铁路
🚇️|metro|地铁|subway travel 捷运
🚈|light rail|轻轨|arrived monorail railway 到站 单轨电车 火车
🚉|station|车站|railway train 地铁 捷运 火车
🚌|bus|公交车|school vehicle 公交 公共汽车 大巴
🚎|trolleybus|无轨电车|bus tram trolley 公共汽车 电车
🚑️|ambulance|救护车|emergency vehicle 急救 车辆
🚒|fire engine|消防车|truck 救火车 火灾
🚓|police car|警车|5–0 cops patrol 巡逻 檀岛警騎 汽车
🚕|taxi|出租车|cab cabbie car drive 小黄 开车 汽车
🚗|automobile|汽车|car driving vehicle 开车 轿车
🚙|sport utility vehicle|运动型多用途车|car drive recreational sportutility suv 休旅车 休闲车
🛻|pickup truck|敞蓬小型载货卡车|automobile car flatbed pick-up 交通工具 卡车 汽车
🚚|delivery truck|货车|car drive vehicle 卡车 开车 送货
🚜|tractor|拖拉机|vehicle
🏎️|racing car|赛车|zoom 汽车 疾驰 跑车
🏍️|motorcycle|摩托车|racing 摩托 赛车
🛵|motor scooter|小型摩托车|摩托车 踏板车
🦽|manual wheelchair|手动轮椅|accessibility 无障碍 轮椅
🦼|motorized wheelchair|电动轮椅|accessibility 无障碍 轮椅
🚲️|bicycle|自行车|bike class cycle cycling 单车 脚踏车 自行车骑士
🛴|kick scooter|滑板车|
🛼|roller skate|四轮滑冰鞋|blades skates sport 旱冰 溜冰 溜冰鞋
🚏|bus stop|公交车站|busstop 公交站 公共汽车站
🚨|police car light|警车灯|alarm alert beacon emergency 灯 紧急 警报
🛑|stop sign|停止标志|octagonal 停止 八角形 八边形
⚓️|anchor|锚|ship tool 停泊 工具 船
⛵️|sailboat|帆船|boat resort sailing sea 游艇 船 驾帆船
🛶|canoe|独木舟|boat 船
🚤|speedboat|快艇|billionaire boat lake luxury 亿万富翁 船 豪华游艇
🛳️|passenger ship|客轮|客船 旅客
⛴️|ferry|渡轮|boat passenger 旅客 渡船 轮船
🛥️|motor boat|摩托艇|motorboat 船
🚢|ship|船|boat passenger travel 旅客 旅行
✈️|airplane|飞机|aeroplane fly flying jet 喷气机 旅行 飞行
🛩️|small airplane|小型飞机|aeroplane plane 小飞机 飞机
🛫|airplane departure|航班起飞|aeroplane check-in departures plane 值机 出境 报到
🛬|airplane arrival|航班降落|aeroplane arrivals arriving landing 到达 着陆 航班
🚁|helicopter|直升机|copter roflcopter travel vehicle 旅行 直升飞机
🛰️|satellite|卫星|space 太空
🚀|rocket|火箭|launch rockets space travel 发射 太空 旅行
🛸|flying saucer|飞碟|aliens extra terrestrial ufo ufo 不明飞行物 外星人
🧳|luggage|行李箱|bag packing roller suitcase 包装 手提箱 旅行
⌛️|hourglass done|沙漏|sand time timer 时间 计时 计时器
⏳️|hourglass not done|沙正往下流的沙漏|flowing hours sand timer 沙 沙漏 等待
⌚️|watch|手表|clock time 时间 表
⏰️|alarm clock|闹钟|hours hrs late time 小时 时间 钟
⏱️|stopwatch|秒表|clock time 码表 计时 计时器
⏲️|timer clock|定时器|时间 计时 计时器
🕰️|mantelpiece clock|座钟|time 台钟 壁炉钟 时钟
🌑|new moon|朔月|dark space 新月 月亮
🌒|waxing crescent moon|蛾眉月|dreams space 三日月 娥眉月 弯月
🌓|first quarter moon|上弦月|space 月亮
🌔|waxing gibbous moon|盈凸月|space 月亮
🌕️|full moon|满月|space 月亮 望月
🌖|waning gibbous moon|亏凸月|space 月亮 衰落
🌗|last quarter moon|下弦月|space 月亮
🌘|waning crescent moon|残月|space 亏眉月 弯月 月亮
🌙|crescent moon|弯月|ramadan space 娥眉月 新月形 月亮
🌡️|thermometer|温度计|weather 天气 气温 温度
☀️|sun|太阳|bright rays space sunny 光线 晴 晴天
🌞|sun with face|微笑的太阳|beach bright day heat 太阳 温暖阳光 阳光明媚
🪐|ringed planet|有环行星|saturn saturnine 土星 行星
⭐️|star|星星|astronomy medium stars white 五角星 白色星星
🌟|glowing star|闪亮的星星|glittery glow night shining 发光 星星 闪亮
🌠|shooting star|流星|falling night space 夜晚 太空 星空
🌌|milky way|银河|space 太空 星空
☁️|cloud|云|weather 云彩 云朵 天气
⛅️|sun behind cloud|阴|cloudy weather 乌云蔽日 多云
⛈️|cloud with lightning and rain|雷阵雨|thunder thunderstorm 暴风雨 阵雨 雨
🌤️|sun behind small cloud|晴偶有云|weather 云 天气 太阳
🌥️|sun behind large cloud|多云|weather 云 太阳 泠
🌦️|sun behind rain cloud|晴转雨|weather 下雨 云 天气
🌧️|cloud with rain|下雨|weather 云 天气 雨
🌨️|cloud with snow|下雪|cold weather 云 天气 雪
🌩️|cloud with lightning|打雷|weather 云 天气 闪电
🌪️|tornado|龙卷风|cloud weather whirlwind 云 天气 旋风
🌫️|fog|雾|cloud weather 云 霾
🌬️|wind face|大风|blow cloud 狂风 风吹
🌀|cyclone|台风|dizzy hurricane twister typhoon 天气 旋风 晕
🌈|rainbow|彩虹|gay genderqueer glbt glbtq lgbt 双性恋 同志
🌂|closed umbrella|收起的伞|clothing rain 下雨 伞 雨
☂️|umbrella|伞|clothing rain 雨 雨伞
☔️|umbrella with rain drops|雨伞|clothing drop weather 下雨 伞 雨滴
⛱️|umbrella on ground|阳伞|rain sun 下雨 伞 地上的阳伞
⚡️|high voltage|高压|danger electric electricity lightning 危险 有电 闪电
❄️|snowflake|雪花|cold snow weather 冷 天气 雪
☃️|snowman|雪与雪人|cold man snow 泠 雪 雪人
⛄️|snowman without snow|雪人|cold man 下雪 泠
☄️|comet|彗星|space 太空
🔥|fire|火焰|af burn flame hot 火 烧 燃烧
💧|droplet|水滴|cold comic drop nature 冷 天气 水
🌊|water wave|浪花|nature ocean surf surfer 波浪 浪 海洋` },
  { name: gettext("Objects"), rows: `
👓️|glasses|眼镜|clothing eye eyeglasses eyewear 服饰 眼睛
🕶️|sunglasses|墨镜|dark eye eyewear glasses 太阳镜
🥽|goggles|护目镜|dive eye protection scuba 护目 护眼 水肺
🥼|lab coat|白大褂|clothes doctor dr experiment 医生 外衣 实验
🦺|safety vest|救生衣|emergency 安全 紧急 背心
👔|necktie|领带|clothing employed serious shirt 工作 正式 衬衫领带
👕|t-shirt|T恤|blue casual clothes clothing t恤 休闲服装 恤衫
👖|jeans|牛仔裤|blue casual clothes clothing 休闲 周末 蓝色
🧣|scarf|围巾|bundle cold neck up 冷 包紧 围脖
🧤|gloves|手套|hand 手
🧥|coat|外套|brr bundle cold jacket 冷 夹克 超冷
🧦|socks|袜子|stocking 短袜 袜 长袜
👗|dress|连衣裙|clothes clothing dressed fancy 衣服 裙子
👘|kimono|和服|clothing comfortable 日本 衣服
🩳|shorts|短裤|bathing pants suit swimsuit 内裤 四角裤 泳衣
👙|bikini|比基尼|bathing beach clothing pool 三点式 泳装 游泳
👛|purse|钱包|clothes clothing coin dress 血拼 铜板
👜|handbag|手提包|bag clothes clothing dress 包包 挎包 血拼
🛍️|shopping bags|购物袋|bag hotel 包 袋 购物
🎒|backpack|书包|backpacking bag bookbag education 上学 包
👟|running shoe|跑鞋|athletic clothes clothing fast 跑 运动鞋 鞋
🥾|hiking boot|登山鞋|backpacking brown camping outdoors 健行 徒步 户外
🥿|flat shoe|平底鞋|ballet comfy flats slip-on 一脚蹬 便鞋 平底芭蕾舞鞋
👠|high-heeled shoe|高跟鞋|clothes clothing dress fashion 女 时装 鞋
👑|crown|皇冠|clothing family king medieval 国王 权力的游戏 王冠
🎩|top hat|礼帽|clothes clothing fancy formal 帽子 正式 高帽
🎓️|graduation cap|毕业帽|celebration clothing education hat 四方帽 学位 学者
🧢|billed cap|鸭舌帽|baseball bent dad hat 帽子 棒球帽
📿|prayer beads|念珠|clothing necklace religion 宗教 珠子 祈祷
💄|lipstick|唇膏|cosmetics date makeup 化妆 化妆品 口红
💍|ring|戒指|diamond engaged engagement married 结婚 订婚 钻戒
💎|gem stone|宝石|diamond engagement jewel money 婚礼 珠宝 订婚
🔇|muted speaker|已静音的扬声器|mute quiet silent sound 声音 安静 扬声器
🔈️|speaker low volume|低音量的扬声器|soft sound 低音量扬扬声 喇叭 小声
🔉|speaker medium volume|中等音量的扬声器|sound 中等 中等音量 中音量
🔊|speaker high volume|高音量的扬声器|loud music sound 大声 大音量 扬声器
📢|loudspeaker|喇叭|address communication loud public 公共广播 大声 广播
📣|megaphone|扩音器|cheering sound 呼喊 喇叭 喇叭筒
🔔|bell|铃铛|break church sound 叮当 响铃 钟
🔕|bell with slash|禁止响铃|forbidden mute no not 响铃关闭 安静 无声
🎼|musical score|乐谱|music note 五线谱 曲谱 音乐
🎵|musical note|音符|music sound 乐谱 五线谱 八分音符
🎶|musical notes|多个音符|music note sound 乐谱 五线谱 八分音符
🎤|microphone|麦克风|karaoke mic music sing k歌 卡拉ok 唱k
🎧️|headphone|耳机|earbud sound 头戴式耳机 耳塞
🎷|saxophone|萨克斯管|instrument music sax 乐器 吹奏 演奏
🎺|trumpet|小号|instrument music 乐器 吹奏 喇叭
🪗|accordion|手风琴|box concertina instrument music 乐器 六角形风琴 音乐
🎸|guitar|吉他|instrument music strat 乐器 弹奏 演奏
🎹|musical keyboard|音乐键盘|instrument music piano 乐器 弹奏 演奏
🎻|violin|小提琴|instrument music 乐器 提琴 是特拉迪瓦尔
🪕|banjo|班卓琴|music stringed 弦乐器 弹奏 音乐
🥁|drum|鼓|drumsticks music 音乐 鼓声 鼓槌
🪘|long drum|长鼓|beat conga instrument rhythm 乐器 康加鼓 康茄鼓
📱|mobile phone|手机|cell communication telephone 手提电话 智能手机 电话
📲|mobile phone with arrow|带有箭头的手机|build call cell communication 手机 接收 智能手机
☎️|telephone|电话|phone 固定电话 固话 座机
📞|telephone receiver|电话听筒|communication phone voip 听筒 固定电话 固话
🔋|battery|电池|正极 电 电极
🔌|electric plug|电源插头|electricity 插头 电插头 电源
💻️|laptop|笔记本电脑|computer office pc personal pc 个人电脑 手提电脑
🖥️|desktop computer|台式电脑|monitor pc 个人电脑 台式
⌨️|keyboard|键盘|computer 打字 按键 电脑
🖱️|computer mouse|电脑鼠标|有线鼠标 激光鼠标 点击
💾|floppy disk|软盘|computer 3.5英寸 便携 存储
💿️|optical disk|光盘|blu-ray cd computer dvd cd 专辑 存储
📀|dvd|DVD|blu-ray cd computer disk dvd 光盘 光碟
🎥|movie camera|电影摄影机|bollywood cinema film hollywood 录像 摄像机 摄录机
🎞️|film frames|影片帧|cinema movie 帧 电影 电影胶卷
🎬️|clapper board|场记板|action movie 场记 打板 拍电影
📺️|television|电视机|tv video 电视 看电视 节目
📷️|camera|相机|photo selfie snap tbt 卡片相机 拍照 摄影
📸|camera with flash|开闪光灯的相机|video 带闪光灯的相机 拍照 相机
📹️|video camera|摄像机|camcorder tbt 录像 录像机 录影
🔍️|magnifying glass tilted left|左斜的放大镜|lab left-pointing science search 工具 搜索 放大
🔎|magnifying glass tilted right|右斜的放大镜|contact lab right-pointing science 工具 搜索 放大
🕯️|candle|蜡烛|light 光 烛光 烛火
💡|light bulb|灯泡|comic electric idea 主意 想法 点子
🔦|flashlight|手电筒|electric light tool torch 光 工具 手电
🏮|red paper lantern|红灯笼|bar light restaurant 光 喜庆 居酒屋
📔|notebook with decorative cover|精装笔记本|book decorated education school 书 写作 学校
📕|closed book|合上的书本|education 书 书本 书本合起
📖|open book|打开的书本|education fantasy knowledge library 书 书本 图书馆
📗|green book|绿色书本|education fantasy library reading 书 书本 图书馆
📘|blue book|蓝色书本|education fantasy library reading 书 书本 图书馆
📙|orange book|橙色书本|education fantasy library reading 书 书本 图书馆
📚️|books|书|book education fantasy knowledge 书本 书籍 图书
📓|notebook|笔记本|日记本 本子 笔记
📒|ledger|账本|notebook 笔记本 记事本 记账
📃|page with curl|带卷边的页面|document paper 卷曲 卷边 文书
📄|page facing up|文件|document paper 文书 文档 页面向上
📰|newspaper|报纸|communication news paper 传播 报道 新闻
🔖|bookmark|书签|mark 标签 读书 阅读
🏷️|label|标签|tag 吊牌 标记 行李牌
🪙|coin|硬币|dollar euro gold metal 富有 欧元 美元
💰️|money bag|钱袋|bank bet billion cash 付钱 十亿 变现
💵|dollar banknote|美元|bank bill currency money 现金 纸币 美刀
💸|money with wings|长翅膀的钱|bank banknote bill billion 纸币 翅膀 花钱
💳️|credit card|信用卡|bank cash charge money 信用 借记卡 刷卡
✉️|envelope|信封|e-mail email letter 信件 信息 来信
📧|e-mail|电子邮件|email letter mail 信件 信封 电邮
📨|incoming envelope|来信|delivering e-mail email letter 信件 信封 发送
📩|envelope with arrow|收邮件|communication down e-mail email 信件 信封 发信
📦️|package|包裹|box communication delivery parcel 快递 指向 盒子
📮|postbox|邮筒|mail mailbox 信 信箱 寄信
✏️|pencil|铅笔|橡皮 橡皮擦 画画
🖋️|fountain pen|钢笔|写字 硬笔 笔
🖊️|pen|笔|ballpoint 原子笔 圆珠笔 油笔
🖌️|paintbrush|画笔|painting 刷 毛笔 画刷
🖍️|crayon|蜡笔|油画棒 画棒
📝|memo|备忘录|communication media notes pencil 便条 便条簿 便笺
💼|briefcase|公文包|office 上班 公事包 办公室
📁|file folder|文件夹|办公 文件 文具
📂|open file folder|打开的文件夹|办公 打开 打开文件夹
📅|calendar|日历|date 日期
📆|tear-off calendar|手撕日历|日历 日期
📈|chart increasing|趋势向上的图表|data graph growth right 上升 上涨 上涨图表
📉|chart decreasing|趋势向下的图表|data down downward graph 下跌 下跌图表 下跌趋势线
📊|bar chart|条形图|data graph 图形 图表 柱形图
📌|pushpin|图钉|collage pin 固定 拼贴 按钉
📍|round pushpin|圆图钉|location map pin 位置 固定 图钉
📎|paperclip|回形针|万字夹 回纹针 曲别针
🖇️|linked paperclips|连起来的两个回形针|link paperclip 万字夹 回形针 回纹针
📏|straight ruler|直尺|angle edge math straightedge 尺 尺子 数学
📐|triangular ruler|三角尺|angle math rule set 三角 尺 数学
✂️|scissors|剪刀|cut cutting paper tool 修剪 剪 剪子
🗃️|card file box|卡片盒|卡片 存档 文件
🔒️|locked|合上的锁|closed lock private 上锁 私密 锁
🔓️|unlocked|打开的锁|cracked lock open unlock 取消锁定 开锁 打开
🔏|locked with pen|墨水笔和锁|ink lock nib privacy 笔 笔尖 钢笔
🔐|locked with key|钥匙和锁|bike closed lock secure 安全 脚踏车锁 钥匙
🔑|key|钥匙|keys lock major password 密码 密钥 开锁
🗝️|old key|老式钥匙|clue lock 古老的钥匙 旧钥匙 线索
🔨|hammer|锤子|home improvement repairs tool 修理 家居修缮 工具
🪓|axe|斧头|ax chop hatchet split 切 劈 木头
⛏️|pick|铁镐|hammer mining tool 工具 挖 挖掘
🗡️|dagger|匕首|knife weapon 剑 武器 短刀
⚔️|crossed swords|交叉放置的剑|weapon 交叉 剑 十字
💣️|bomb|炸弹|boom comic dangerous explosion 爆炸
🪃|boomerang|回旋镖|rebound repercussion weapon 反弹 回弹 土著
🏹|bow and arrow|弓和箭|archer archery sagittarius tool 人马座 射手 射手座
🛡️|shield|盾牌|weapon 武器 盾 防御
🔧|wrench|扳手|home improvement spanner tool 家居修缮 工具 螺丝扳手
🪛|screwdriver|螺丝刀|flathead handy screw tool 工具 螺丝
🔗|link|链接|links 网址 链条 锁链
🧰|toolbox|工具箱|box chest mechanic red 大箱子 工具 机修
🧲|magnet|磁铁|attraction horseshoe magnetic negative u 型 吸引 吸引力
🧪|test tube|试管|chemist chemistry experiment lab 化学 化学家 实验
🧬|dna|DNA|biologist evolution gene genetics dna 基因 演化
🔬|microscope|显微镜|experiment lab science tool 实验 实验室 工具
🔭|telescope|望远镜|contact extraterrestrial science tool 外星人 天体 天文
📡|satellite antenna|卫星天线|aliens contact dish science 信号接收 卫星 卫星接收天线
💉|syringe|注射器|doctor flu medicine needle 医学 医生 工具
💊|pill|药丸|doctor drugs medicated medicine 医生 吃药 治疗
🩹|adhesive bandage|创可贴|ok绷 伤口 受伤
🛏️|bed|床|hotel sleep 宾馆 床垫 床铺
🪑|chair|椅子|seat sit 坐 坐下 座位
🚿|shower|淋浴|water 喷头 喷水 水
🛁|bathtub|浴缸|bath 沐浴 泡沫浴 泡澡
🧷|safety pin|安全别针|diaper punk rock 别针 扣针
🧹|broom|扫帚|cleaning sweeping witch 女巫 巫婆 打扫
🧺|basket|筐|farming laundry picnic 农作 洗衣 种植
🧼|soap|皂|bar bathing clean cleaning 杀菌 泡沫 洗手
🧽|sponge|海绵|absorbing cleaning porous soak 吸收 吸水 多孔
🛒|shopping cart|购物车|trolley 手推车 购物 采购
🚬|cigarette|香烟|smoking 卷烟 吸烟 抽烟
🧿|nazar amulet|纳扎尔护身符|bead blue charm evil-eye 小装饰品 恶魔之眼 护身符
🪧|placard|标语牌|card demonstration notice picket 告示 布告 标志` },
  { name: gettext("Symbols"), rows: `
⚠️|warning|警告|caution 小心
⛔️|no entry|禁止通行|do fail forbidden not 交通 禁止入内 禁行
🚫|prohibited|禁止|entry forbidden no not 不准 不许 严禁
⬆️|up arrow|向上箭头|cardinal direction north 上 北 方位
➡️|right arrow|向右箭头|cardinal direction east 东 右 方向
⬇️|down arrow|向下箭头|cardinal direction south 南 向下 基本
⬅️|left arrow|向左箭头|cardinal direction west 左 方向 标识
↩️|right arrow curving left|右转弯箭头|右转弯 向左弯曲的右箭头 箭头
↪️|left arrow curving right|左转弯箭头|向右弯曲的左箭头 左转弯 箭头
⤴️|right arrow curving up|右上弯箭头|右上弯 向上弯曲的右箭头 箭头
⤵️|right arrow curving down|右下弯箭头|右下弯 向下弯曲的右箭头 箭头
☯️|yin yang|阴阳|difficult lives religion tao 太极 宗教 道
☮️|peace symbol|和平符号|healing peaceful 和平
▶️|play button|播放按钮|arrow right triangle 三角 右 向右
⏸️|pause button|暂停按钮|bar double vertical 停止 双条形 暂停
➕️|plus|加|+ 加号 十字 数学
➖️|minus|减|- heavy math sign 减号 数学 横线
♾️|infinity|无穷大|forever unbounded universal 宇宙 无尽 极大
⁉️|exclamation question mark|感叹疑问号|! !? ? interrobang 叹号 叹号加问号 吃惊
❓️|red question mark|红色问号|? punctuation 为什么 标点 标点符号
❗️|red exclamation mark|红色感叹号|! punctuation 叹号 吃惊 惊讶
💲|heavy dollar sign|粗美元符号|billion cash charge currency 现金 美元 美元符号
♻️|recycling symbol|回收标志|recycle 再利用 再生 回收
✅️|check mark button|勾号按钮|checked checkmark complete completed 勾 勾号 完成
✔️|check mark|勾号|checked checkmark done heavy 对勾 打勾 正确
❌️|cross mark|叉号|cancel multiplication multiply x x 乘 交叉
❎️|cross mark button|叉号按钮|multiplication multiply square x 乘 乘号 叉
❇️|sparkle|火花|* 烟火 闪光 闪耀
©️|copyright|版权|c
™️|trade mark|商标|tm trademark 产品 标志
🆗|OK button|OK按钮|ok okay ok ok按钮 同意
🔴|red circle|红色圆|geometric 几何 圆 圈
🟠|orange circle|橙色圆|圆 圆圈 圈
🟡|yellow circle|黄色圆|圆 圈 黄
🟢|green circle|绿色圆|圆 圆圈 圈
🔵|blue circle|蓝色圆|geometric 圆 圈 蓝
🟣|purple circle|紫色圆|圆 圆圈 圈
⚫️|black circle|黑色圆|geometric 圆 圈 黑
⚪️|white circle|白色圆|geometric 圆 圈 白
⬜️|white large square|白线大方框|geometric 大 方形 正方形` },
];
